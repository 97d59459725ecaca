import type { IncomingMessage } from "node:http";
import type { FaultHook } from "@clew/context";
import type { LargeIntegers } from "../envelope/large-integers.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import type { Extension } from "../extensions/extension.ts";
import type { RpcError } from "../rpc-error.ts";
import type { FailedCall } from "./call.ts";

export interface ServerOptions {
  /** Name of this service, as others know it. */
  readonly service: string;
  /** Of the service, for `describe` and `health`. Default "0.0.0". */
  readonly version?: string | undefined;
  /**
   * Names this instance in each answer's `meta.node` and `X-Forrst-Node`: visible ASCII. Default: none, as it tells
   * strangers of what is inside.
   */
  readonly node?: string | undefined;
  readonly limits?: Partial<EnvelopeLimits> | undefined;
  /** What becomes of integers in arguments that a number cannot hold. Default `refuse`: never rounded silently. */
  readonly largeIntegers?: LargeIntegers | undefined;
  /**
   * In the order in which they run, the outermost first. Default: `createDefaultExtensions()`; whoever adds one writes
   * `[...createDefaultExtensions(), mine]`.
   */
  readonly extensions?: readonly Extension[] | undefined;
  /** Called before a request's body is read; what it throws is the answer. The place for authentication. */
  readonly admit?: ((request: IncomingMessage) => void | Promise<void>) | undefined;
  /**
   * Turns what a handler threw, when that is no `RpcError`, into one. Undefined (also the default): the client sees
   * `INTERNAL_ERROR` without inner text, and the error goes to `onInternalError`.
   */
  readonly rescue?: ((error: unknown) => RpcError | undefined) | undefined;
  readonly onInternalError?: ((error: unknown, call: FailedCall) => void) | undefined;
  /**
   * Called for everything that is wrong with a request's context, `missing` included; such requests are served.
   * Default: published on the channels of `contextChannels`, at most once a minute and kind.
   */
  readonly onContextFault?: FaultHook | undefined;
  /**
   * Validate what handlers return as well. Default false: the types hold there, and the client validates again; true
   * in tests, where a handler's mistake should show at the handler.
   */
  readonly checkResults?: boolean | undefined;
  /** Comment on a quiet stream, so that both ends see a dead connection. Default 5 s: two fit in the client's 12 s. */
  readonly heartbeatMs?: number | undefined;
  /** How long a stream's reader may leave a full connection unread. Default 30 s, then it is cut off (I8). */
  readonly stallMs?: number | undefined;
  /** Calls and streams under way at once; the next is refused as UNAVAILABLE. Default 10,000 (I8). */
  readonly maxCalls?: number | undefined;
  /** How long `close` waits for calls under way. Default 5 s, less than the grace of common supervisors. */
  readonly drainMs?: number | undefined;
}
