/**
 * Everything that needs no Node: reading, changing and writing contexts, for browsers and edge runtimes. Only the
 * ambient scope (`context`, `defineFields`) and signing are elsewhere. The same modules as in the main entry, so their
 * contexts are interchangeable.
 */
export type { JsonValue } from "@clew/wire";
export { believeFields } from "./believe.ts";
export {
  type FetchHeaders,
  type GrpcMetadata,
  grpcCarrier,
  httpCarrier,
} from "./carriers/call-carriers.ts";
export { type Carrier, carrierLimits } from "./carriers/carrier.ts";
export { forrstCarrier } from "./carriers/forrst-carrier.ts";
export {
  amqpCarrier,
  kafkaCarrier,
  type NatsHeaders,
  natsCarrier,
  redisCarrier,
} from "./carriers/message-carriers.ts";
export type { CarrierRecord } from "./carriers/record-carrier.ts";
export { type Context, emptyContext, type FieldChanges } from "./context.ts";
export { type DestinationPolicy, isDestinationPattern, isInternalDestination } from "./destination.ts";
export { contextFromEnvironment, contextToEnvironment } from "./environment.ts";
export { ContextError } from "./errors.ts";
export { contextOfLines, type ExtractOptions, extractContext, type HeaderReader } from "./extract.ts";
export {
  type ContextFault,
  type ContextFaultEvent,
  contextChannels,
  createFaultPublisher,
  type FaultHook,
} from "./faults.ts";
export {
  conflictsField,
  contextHeaderNames,
  explainField,
  routeField,
  signatureField,
} from "./field-names.ts";
export {
  createFieldSet,
  type FieldInputs,
  type FieldOptions,
  type FieldSchemas,
  type FieldSet,
} from "./fields/field-set.ts";
export { contextFromForrst, contextToForrst } from "./forrst.ts";
export { type InjectOptions, injectContext } from "./inject.ts";
export { type JoinPolicy, joinContexts } from "./join.ts";
export { type AttributeValue, attributesOf, logFields } from "./log-fields.ts";
export { isLoopbackHost } from "./loopback.ts";
export { type CountedReport, createReportCounter, type RateLimitOptions } from "./rate-limit.ts";
export {
  isRouteName,
  parseRoutingKey,
  type RoutingKey,
  type RoutingKeyMode,
  type RoutingKeyVerifier,
} from "./routing-key.ts";
