export {
  type CallOptions,
  type ClientOptions,
  createClient,
  type ForrstClient,
  type StreamOptions,
} from "./client/create-client.ts";
export { defineFunction, defineStream, type FunctionContract, type StreamContract } from "./contract.ts";
export type { ForrstError, ForrstErrorSource, JsonObject } from "./envelope/document.ts";
export type { EnvelopeLimits } from "./envelope/limits.ts";
export { isRpcError, RpcError, type RpcErrorOptions } from "./rpc-error.ts";
export type { Call, FailedCall } from "./server/call.ts";
export {
  createServer,
  type ForrstServer,
  type FunctionDefinition,
} from "./server/create-server.ts";
export type { Answer, Exchange, StreamEventName } from "./server/exchange.ts";
export type { ServerOptions } from "./server/server-options.ts";
export type { HttpRequest, HttpResponse } from "./transports/http-exchange.ts";
export { type Listener, type ListenOptions, listen } from "./transports/listen.ts";
export type { TlsClientOptions } from "./transports/tls-options.ts";
