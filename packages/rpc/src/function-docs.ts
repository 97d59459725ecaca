import type { JsonValue } from "@clew/context";
import type { FunctionExtensions } from "./extensions/extension.ts";

export interface FunctionExample {
  readonly name: string;
  readonly summary?: string | undefined;
  readonly arguments: Readonly<Record<string, JsonValue>>;
  readonly result?: JsonValue | undefined;
  readonly errors?: readonly { readonly code: string; readonly message: string }[] | undefined;
}

/** What `describe` tells people and tools about a function. Source: Forrst specification, description. */
export interface FunctionDocs {
  readonly summary?: string | undefined;
  /** Markdown. */
  readonly description?: string | undefined;
  /** What calling changes. Default: nothing, the function only reads. */
  readonly sideEffects?: readonly ("create" | "update" | "delete")[] | undefined;
  /** `sunset` is the ISO 8601 date of the removal. */
  readonly deprecated?:
    | { readonly reason?: string | undefined; readonly sunset?: string | undefined }
    | undefined;
  readonly examples?: readonly FunctionExample[] | undefined;
  /** Codes of the service's own that callers may meet. */
  readonly errors?: readonly { readonly code: string; readonly message: string }[] | undefined;
  /** False: callable, but named in neither `describe` nor `capabilities`. Default true. */
  readonly isDiscoverable?: boolean | undefined;
}

/** What every definition of a function may say beside its schemas. */
export interface FunctionExtras {
  readonly docs?: FunctionDocs | undefined;
  /** Which of the server's extensions the function takes. Default: all. */
  readonly extensions?: FunctionExtensions | undefined;
}
