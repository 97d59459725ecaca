import type { Context } from "@clew/context";
import type { CallDeadline } from "../extensions/deadline.ts";
import type { IdempotencyKey } from "../extensions/idempotency/idempotency.ts";
import type { Trace } from "../extensions/tracing.ts";
import type { ResponseMeta } from "./response-meta.ts";

/** What a handler knows about its call beside the arguments. */
export interface Call {
  readonly id: string;
  readonly function: string;
  /** The version that was resolved, also where the request named none. */
  readonly version: string;
  /**
   * Aborts when the client is gone, the deadline has passed, the call was cancelled or the server ends; what the handler
   * does then has no reader.
   */
  readonly signal: AbortSignal;
  /** As it came in: `caller` is who sent the request. The handler also runs inside of it. */
  readonly context: Context;
  /** Of `Authorization: Bearer`. */
  readonly token: string | undefined;
  readonly remoteAddress: string | undefined;
  /** Undefined when the request came with none. */
  readonly trace: Trace | undefined;
  /** Of the deadline extension. Calls that the handler makes inherit what is left of it. */
  readonly deadline: CallDeadline | undefined;
  /** Of the idempotency extension. */
  readonly idempotency: IdempotencyKey | undefined;
  /** Of a stream: the last event that the client has seen of an earlier one; what comes after it is wanted. */
  readonly lastEventId: string | undefined;
  /** What the answer is to say beside its result; to be filled in. */
  readonly meta: ResponseMeta;
}

/** As much of a call as was known when it failed. */
export interface FailedCall {
  readonly id: string | null;
  readonly function: string | undefined;
  readonly version: string | undefined;
}
