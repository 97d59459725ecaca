import type { JsonValue } from "@clew/context";
import type { RequestExtension, ResponseExtension } from "../envelope/document.ts";

/** A call on its way out, as interceptors see and may change it. */
export interface OutgoingCall {
  readonly function: string;
  readonly version: string;
  readonly arguments: unknown;
  /** Whether it may be made again: by its contract, or because an idempotency key goes with it. */
  readonly isRepeatable: boolean;
  /** Beside those for tracing and deadline, which each attempt gets anew. */
  readonly extensions: readonly RequestExtension[];
  readonly signal: AbortSignal | undefined;
  /** From now to the whole answer, all attempts together. */
  readonly timeoutMs: number;
}

export interface CallAnswer {
  /** Not yet validated. */
  readonly result: JsonValue;
  /** What the server said of the extensions. */
  readonly extensions: readonly ResponseExtension[];
}

export type CallNext = (call: OutgoingCall) => Promise<CallAnswer>;

/**
 * Runs around a call with all its attempts: may look at it, change it, answer itself, or call `next` once more.
 * Rejects with what the call is to reject with.
 */
export type Interceptor = (call: OutgoingCall, next: CallNext) => Promise<CallAnswer>;

/** The first interceptor is the outermost. */
export function intercept(interceptors: readonly Interceptor[], send: CallNext): CallNext {
  return interceptors.reduceRight<CallNext>((next, interceptor) => (call) => interceptor(call, next), send);
}
