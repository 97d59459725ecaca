import type { IncomingMessage, ServerResponse } from "node:http";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { FunctionContract, StreamContract } from "../contract.ts";
import { defaultEnvelopeLimits } from "../envelope/limits.ts";
import { HttpExchange } from "../transports/http-exchange.ts";
import type { Call } from "./call.ts";
import { CallService } from "./call-service.ts";
import { FunctionTable } from "./function-table.ts";
import { publishContextFault } from "./request-context.ts";
import type { ServerOptions } from "./server-options.ts";
import { addSystemFunctions } from "./system-functions.ts";

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
  const service = new CallService({
    ...options,
    limits,
    table,
    onContextFault: options.onContextFault ?? publishContextFault,
    heartbeatMs: options.heartbeatMs ?? 5_000,
    stallMs: options.stallMs ?? 30_000,
    maxCalls: options.maxCalls ?? 10_000,
    drainMs: options.drainMs ?? 5_000,
  });
  const http = { service: options.service, admit: options.admit };
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
    handle: (request, response) => service.accept(new HttpExchange(request, response, http)),
    close: () => service.close(),
  };
  return server;
}
