import type { Context } from "@clew/context";

/** What a handler knows about its call beside the arguments. */
export interface Call {
  readonly id: string;
  readonly function: string;
  /** The version that was resolved, also where the request named none. */
  readonly version: string;
  /** Aborts when the client is gone or the server ends; what the handler does then has no reader. */
  readonly signal: AbortSignal;
  /** As it came in: `caller` is who sent the request. The handler also runs inside of it. */
  readonly context: Context;
  /** Of `Authorization: Bearer`. */
  readonly token: string | undefined;
  readonly remoteAddress: string | undefined;
}

/** As much of a call as was known when it failed. */
export interface FailedCall {
  readonly id: string | null;
  readonly function: string | undefined;
  readonly version: string | undefined;
}
