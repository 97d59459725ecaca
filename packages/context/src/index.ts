export type { JsonValue } from "@clew/wire";
export { type AmbientContext, ambientStorage, context } from "./ambient.ts";
export { type Context, emptyContext, type FieldChanges } from "./context.ts";
export { type DestinationPolicy, isDestinationPattern, isInternalDestination } from "./destination.ts";
export { contextFromEnvironment, contextToEnvironment } from "./environment.ts";
export { ContextError } from "./errors.ts";
export { type ExtractOptions, extractContext, type HeaderReader } from "./extract.ts";
export {
  type ContextFault,
  type ContextFaultEvent,
  contextChannels,
  createFaultPublisher,
  type FaultHook,
} from "./faults.ts";
export { contextHeaderNames, explainField, routeField } from "./field-names.ts";
export { contextFromForrst, contextToForrst } from "./forrst.ts";
export { type InjectOptions, injectContext } from "./inject.ts";
export { isLoopbackHost } from "./loopback.ts";
export { type CountedReport, createReportCounter, type RateLimitOptions } from "./rate-limit.ts";
export { isRouteName, parseRoutingKey, type RoutingKey } from "./routing-key.ts";
