import type { Socket } from "node:net";
import { defineFunction, type FunctionContract, type StreamContract } from "../contract.ts";
import { defaultEnvelopeLimits } from "../envelope/limits.ts";
import { createDefaultExtensions } from "../extensions/default-extensions.ts";
import { ExtensionRegistry } from "../extensions/extension-registry.ts";
import type { ProgressEvent, ResumableEvent } from "../extensions/stream.ts";
import type { FunctionExtras } from "../function-docs.ts";
import { RpcError } from "../rpc-error.ts";
import type { Infer, Schema } from "../schemas/schema.ts";
import { HttpExchange, type HttpRequest, type HttpResponse } from "../transports/http-exchange.ts";
import { servePlainConnection } from "../transports/plain/plain-connection.ts";
import { serveUnixConnection } from "../transports/unix-server.ts";
import type { Call } from "./call.ts";
import { CallService } from "./call-service.ts";
import type { Exchange } from "./exchange.ts";
import { type FunctionStatus, FunctionTable } from "./function-table.ts";
import { type ComponentCheck, Health } from "./health.ts";
import { publishContextFault } from "./request-context.ts";
import type { ServerOptions } from "./server-options.ts";
import { addSystemFunctions } from "./system-functions.ts";

export interface FunctionDefinition<Args extends Schema, Result extends Schema> extends FunctionExtras {
  readonly version: string;
  readonly arguments: Args;
  readonly result: Result;
  readonly handler: (args: Infer<Args>, call: Call) => Infer<Result> | Promise<Infer<Result>>;
}

export interface ForrstServer {
  /** Throws E_RPC_CONTRACT for a name or version that cannot be called, or that is defined already. */
  function<const Args extends Schema, const Result extends Schema>(
    name: string,
    definition: FunctionDefinition<Args, Result>,
  ): ForrstServer;
  implement<Args, Result>(
    contract: FunctionContract<Args, Result>,
    handler: (args: Args, call: Call) => Result | Promise<Result>,
  ): ForrstServer;
  implementStream<Args, Event>(
    contract: StreamContract<Args, Event>,
    handler: (args: Args, call: Call) => AsyncIterable<Event | ResumableEvent<Event> | ProgressEvent>,
  ): ForrstServer;
  /** Part of what the system function `health` tells. */
  component(name: string, check: ComponentCheck): ForrstServer;
  /** Told by `health`; `disabled` and `maintenance` refuse calls. Undefined: healthy again. */
  setFunctionStatus(name: string, status: FunctionStatus | undefined): void;
  /** Answers one request; use it as the handler of a `node:http` or `node:http2` server. Never throws. */
  handle(request: HttpRequest, response: HttpResponse): void;
  /**
   * Answers calls on one connection of HTTP/1.1, in less time than `handle`: as long as they are plain POSTs of JSON.
   * Calls `handOver` at the first that is not, with what was read put back into the socket: then the connection is that
   * of a `node:http` server's `connection` listener. At once where `admit` wants to see Node's request. Returns what
   * ends the connection, if it is idle. Never throws.
   */
  serveHttpConnection(socket: Socket, handOver: () => void): () => void;
  /** Answers all calls on one connection of a Unix socket, made by a server with `allowHalfOpen`. Never throws. */
  serveConnection(socket: Socket): void;
  /** Answers one request that a transport of one's own brings. Never throws. */
  accept(exchange: Exchange): void;
  /** Ends streams, refuses new calls as UNAVAILABLE, and waits for those under way, at most `drainMs`. */
  close(): Promise<void>;
}

/** Speaks Forrst over HTTP on a server that the caller owns. Throws E_RPC_OPTIONS for a node that no header can hold. */
export function createServer(options: ServerOptions): ForrstServer {
  checkNode(options.node);
  const limits = { ...defaultEnvelopeLimits, ...options.limits };
  const table = new FunctionTable();
  const extensions = new ExtensionRegistry(options.extensions ?? createDefaultExtensions());
  const health = new Health(table);
  addSystemFunctions({
    table,
    limits,
    extensions,
    health,
    service: options.service,
    version: options.version,
  });
  const service = new CallService({
    ...options,
    limits,
    table,
    extensions,
    onContextFault: options.onContextFault ?? publishContextFault,
    heartbeatMs: options.heartbeatMs ?? 5_000,
    stallMs: options.stallMs ?? 30_000,
    maxCalls: options.maxCalls ?? 10_000,
    drainMs: options.drainMs ?? 5_000,
  });
  const accept = (exchange: Exchange): void => service.accept(exchange);
  const connection = { accept, admit: options.admit, maxBodyBytes: limits.maxBodyBytes };
  const http = { service: options.service, admit: options.admit };
  const plain = { accept, service: options.service, maxBodyBytes: limits.maxBodyBytes };
  const server: ForrstServer = {
    function: (name, { handler, ...rest }) =>
      server.implement(defineFunction({ name, ...rest }), handler as never),
    implement(contract, handler) {
      table.add({ kind: "function", ...contract, handler });
      return server;
    },
    implementStream(contract, handler) {
      table.add({ kind: "stream", ...contract, handler });
      return server;
    },
    component(name, check) {
      health.addComponent(name, check);
      return server;
    },
    setFunctionStatus: (name, status) => table.setStatus(name, status),
    handle: (request, response) => accept(new HttpExchange(request, response, http)),
    serveHttpConnection(socket, handOver) {
      if (options.admit === undefined) return servePlainConnection(socket, plain, handOver);
      handOver();
      return () => {};
    },
    serveConnection: (socket) => serveUnixConnection(socket, connection),
    accept,
    close: () => service.close(),
  };
  return server;
}

function checkNode(node: string | undefined): void {
  if (node === undefined || /^[\x21-\x7e]{1,128}$/.test(node)) return;
  throw new RpcError("E_RPC_OPTIONS", `${JSON.stringify(node)} cannot name a node`, {
    hint: "Use up to 128 visible ASCII characters, such as orders-api-2.",
  });
}
