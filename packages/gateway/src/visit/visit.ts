import type { Preview } from "@clew/control";
import type { LocalAnswer } from "@clew/proxy";
import type { Visitor } from "./visitor-pass.ts";

/** A request of somebody who may visit. */
export interface Visit {
  readonly preview: Preview;
  /** `host`: the preview has a host of its own. `path`: it was entered at `/_preview/<slug>`, and a cookie says so. */
  readonly form: "host" | "path";
  /** Undefined for what is no page of a public preview: such a visitor is not known yet. */
  readonly visitor: Visitor | undefined;
  /** The pass of a visitor who is new, for the answer. */
  readonly newPass: string | undefined;
}

/** Where a request stands towards previews. */
export type Entrance =
  | { readonly kind: "live" }
  | { readonly kind: "visit"; readonly visit: Visit }
  /** Asked for one of the gateway's own addresses within a preview. */
  | { readonly kind: "own"; readonly visit: Visit; readonly path: string; readonly query: string }
  | { readonly kind: "answer"; readonly answer: LocalAnswer; readonly slug: string | undefined }
  | { readonly kind: "password"; readonly preview: Preview; readonly action: string };
