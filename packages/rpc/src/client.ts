// What a caller needs, and no more: a process that only calls loads half of the package.
export { type Caller, createCaller, type FunctionTypes } from "./client/create-caller.ts";
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
export { isRpcError, RpcError, type RpcErrorOptions } from "./rpc-error.ts";
export type { FromJsonSchema, JsonSchema } from "./schemas/json-schema.ts";
export type { Infer, Schema } from "./schemas/schema.ts";
