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
export type { ServerOptions } from "./server/server-options.ts";
