export type { OtelContext, OtelContextManager } from "./api-types.ts";
export {
  completeExtracted,
  contextFromCarrier,
  headersFor,
  type OtelGetter,
} from "./propagation.ts";
export { ClewPropagator, type ClewPropagatorOptions } from "./propagator.ts";
export {
  fromOtelContext as contextFromOpenTelemetry,
  intoOtelContext as contextToOpenTelemetry,
} from "./shared-context.ts";
