/**
 * What is used here of `@clew/context`, by entries that load little of it, and resolved once: each file, and each
 * import by a package's name, delays the start of every process that is preloaded.
 */
export {
  ambientStorage,
  type Context,
  type ContextFaultEvent,
  contextChannels,
  contextHeaderNames,
  contextOfLines,
  createReportCounter,
  type DestinationPolicy,
  emptyContext,
  extractedByOpenTelemetry,
  injectContext,
  isInternalDestination,
  type OtelPropagator,
  openTelemetry,
  outgoingBaggage,
  type ScopeEntry,
} from "@clew/context/core";
