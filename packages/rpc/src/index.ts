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
  type ServerOptions,
} from "./server/create-server.ts";
