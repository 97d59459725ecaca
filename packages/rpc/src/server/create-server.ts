import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultHook } from "@clew/context";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { FunctionContract, StreamContract } from "../contract.ts";
import { defaultEnvelopeLimits, type EnvelopeLimits } from "../envelope/limits.ts";
import type { RpcError } from "../rpc-error.ts";
import type { Call, FailedCall } from "./call.ts";
import { FunctionTable } from "./function-table.ts";
import { HttpService } from "./http-service.ts";
import { publishContextFault } from "./request-context.ts";
import { addSystemFunctions } from "./system-functions.ts";

export interface ServerOptions {
  /** Name of this service, as others know it. */
  readonly service: string;
  readonly limits?: Partial<EnvelopeLimits> | undefined;
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

export interface FunctionDefinition<Args, Result> {
  readonly version: string;
  readonly arguments: StandardSchemaV1<unknown, Args>;
  readonly result: StandardSchemaV1<unknown, Result>;
  readonly handler: (args: Args, call: Call) => Result | Promise<Result>;
}

export interface ForrstServer {
  /** Throws E_RPC_CONTRACT for a name or version that cannot be called, or that is defined already. */
  function<Args, Result>(name: string, definition: FunctionDefinition<Args, Result>): ForrstServer;
  implement<Args, Result>(
    contract: FunctionContract<Args, Result>,
    handler: (args: Args, call: Call) => Result | Promise<Result>,
  ): ForrstServer;
  implementStream<Args, Event>(
    contract: StreamContract<Args, Event>,
    handler: (args: Args, call: Call) => AsyncIterable<Event>,
  ): ForrstServer;
  /** Answers one request; use it as the handler of a `node:http` server. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Ends streams, refuses new calls as UNAVAILABLE, and waits for those under way, at most `drainMs`. */
  close(): Promise<void>;
}

/** Speaks Forrst over HTTP on a server that the caller owns. */
export function createServer(options: ServerOptions): ForrstServer {
  const limits = { ...defaultEnvelopeLimits, ...options.limits };
  const table = new FunctionTable();
  addSystemFunctions(table, options.service, limits);
  const http = new HttpService({
    ...options,
    limits,
    table,
    onContextFault: options.onContextFault ?? publishContextFault,
    heartbeatMs: options.heartbeatMs ?? 5_000,
    stallMs: options.stallMs ?? 30_000,
    maxCalls: options.maxCalls ?? 10_000,
    drainMs: options.drainMs ?? 5_000,
  });
  const server: ForrstServer = {
    function(name, definition) {
      table.add({ kind: "function", name, ...definition });
      return server;
    },
    implement({ name, version, arguments: args, result }, handler) {
      table.add({ kind: "function", name, version, arguments: args, result, handler });
      return server;
    },
    implementStream({ name, version, arguments: args, event }, handler) {
      table.add({ kind: "stream", name, version, arguments: args, event, handler });
      return server;
    },
    handle: (request, response) => http.handle(request, response),
    close: () => http.close(),
  };
  return server;
}
