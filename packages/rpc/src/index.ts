export {
  type CallOptions,
  type ClientOptions,
  createClient,
  type ForrstClient,
  type StreamOptions,
} from "./client/create-client.ts";
export {
  defineFunction,
  defineStream,
  type FunctionContract,
  type FunctionSpecification,
  type StreamContract,
  type StreamSpecification,
} from "./contract.ts";
export type { ForrstError, ForrstErrorSource, JsonObject } from "./envelope/document.ts";
export type { EnvelopeLimits } from "./envelope/limits.ts";
export type { FunctionDocs, FunctionExample, FunctionExtras } from "./function-docs.ts";
export { isRpcError, RpcError, type RpcErrorOptions } from "./rpc-error.ts";
export type { FromJsonSchema, JsonSchema } from "./schemas/json-schema.ts";
export type { Infer, Schema } from "./schemas/schema.ts";
export type { Call, FailedCall } from "./server/call.ts";
export {
  createServer,
  type ForrstServer,
  type FunctionDefinition,
} from "./server/create-server.ts";
export type { Answer, Exchange, StreamEventName } from "./server/exchange.ts";
export type { FunctionStatus } from "./server/function-table.ts";
export type { ComponentCheck, ComponentHealth } from "./server/health.ts";
export type { ServerOptions } from "./server/server-options.ts";
export type { HttpRequest, HttpResponse } from "./transports/http-exchange.ts";
export { type Listener, type ListenOptions, listen } from "./transports/listen.ts";
export type { TlsClientOptions } from "./transports/tls-options.ts";
