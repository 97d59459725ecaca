import type { RequestBody } from "./request-body.ts";
import type { ReceivedHead } from "./request-head.ts";

/** What is known of a request once its head is there. */
export interface ReceivedRequest {
  readonly head: ReceivedHead;
  /** For the next hop: the head, and what came with it of the body. */
  readonly first: Buffer;
  /** Of `first`. */
  readonly headLength: number;
  /** Undefined: it has none. */
  readonly body: RequestBody | undefined;
  readonly minorVersion: 0 | 1;
  readonly isHead: boolean;
  readonly isRepeatable: boolean;
  readonly asksUpgrade: boolean;
  readonly expects: boolean;
  /** The client's connection ends after the answer: as the request says, or as is decided when the answer begins. */
  closes: boolean;
}
