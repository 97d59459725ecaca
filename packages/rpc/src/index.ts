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
export type { ForrstError, ForrstErrorSource, JsonObject } from "./envelope/document.ts";
export type { LargeIntegers } from "./envelope/large-integers.ts";
export type { EnvelopeLimits } from "./envelope/limits.ts";
export { type CancellationOptions, createCancellationExtension } from "./extensions/cancellation.ts";
export { type CallDeadline, createDeadlineExtension, type DeadlineOptions } from "./extensions/deadline.ts";
export { createDefaultExtensions } from "./extensions/default-extensions.ts";
export { createDeprecationExtension, type DeprecationWarning } from "./extensions/deprecation.ts";
export {
  type CallOutcome,
  defineExtension,
  type Extension,
  type ExtensionFunction,
  type FunctionExtensions,
  type FunctionFacts,
  type Invocation,
  type OptionFault,
} from "./extensions/extension.ts";
export {
  createIdempotencyExtension,
  type IdempotencyKey,
  type IdempotencyOptions,
} from "./extensions/idempotency/idempotency.ts";
export type { Claim, ClaimRequest, IdempotencyStore } from "./extensions/idempotency/idempotency-store.ts";
export {
  createMemoryIdempotencyStore,
  type MemoryStoreOptions,
} from "./extensions/idempotency/memory-store.ts";
export {
  createRedisIdempotencyStore,
  type RedisScripting,
  type RedisStoreOptions,
} from "./extensions/idempotency/redis-store.ts";
export { createRetryExtension } from "./extensions/retry.ts";
export {
  type Progress,
  type ProgressEvent,
  progress,
  type ResumableEvent,
  resumable,
} from "./extensions/stream.ts";
export type { Trace } from "./extensions/tracing.ts";
export type { FunctionDocs, FunctionExample, FunctionExtras } from "./function-docs.ts";
export { isRpcError, RpcError, type RpcErrorOptions } from "./rpc-error.ts";
export type { FromJsonSchema, JsonSchema } from "./schemas/json-schema.ts";
export type { Infer, Schema } from "./schemas/schema.ts";
export type { Call, FailedCall } from "./server/call.ts";
export { currentCall } from "./server/call-context.ts";
export {
  createServer,
  type ForrstServer,
  type FunctionDefinition,
} from "./server/create-server.ts";
export type { Answer, Exchange, StreamEventName } from "./server/exchange.ts";
export type { FunctionStatus } from "./server/function-table.ts";
export type { ComponentCheck, ComponentHealth } from "./server/health.ts";
export type { RateLimit, ResponseMeta } from "./server/response-meta.ts";
export type { ServerOptions } from "./server/server-options.ts";
export {
  createFastifyPlugin,
  createHonoHandler,
  type FastifyLike,
  type HonoContextLike,
} from "./transports/adapters.ts";
export type { HttpRequest, HttpResponse } from "./transports/http-exchange.ts";
export { type Listener, type ListenOptions, listen } from "./transports/listen.ts";
export type { TlsClientOptions } from "./transports/tls-options.ts";
