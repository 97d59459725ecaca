/**
 * What carrying contexts takes, and not the rest: for preloads such as `@clew/node`, where each file that is loaded
 * delays the start of every process (about half a millisecond). The same modules as in the main entry.
 */
export { ambientStorage, context } from "./ambient.ts";
export { type Context, emptyContext } from "./context.ts";
export { type DestinationPolicy, isInternalDestination } from "./destination.ts";
export { contextFromEnvironment, contextToEnvironment } from "./environment.ts";
export { contextOfLines, type ExtractOptions, extractContext, type HeaderReader } from "./extract.ts";
export { type ContextFaultEvent, contextChannels } from "./faults.ts";
export { contextHeaderNames } from "./field-names.ts";
export { type InjectOptions, injectContext, outgoingBaggage } from "./inject.ts";
export {
  extractedByOpenTelemetry,
  type OtelPropagator,
  openTelemetry,
  type ScopeEntry,
} from "./opentelemetry/shared-storage.ts";
export { createReportCounter } from "./rate-limit.ts";
