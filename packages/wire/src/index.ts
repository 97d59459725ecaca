export {
  type BaggageLimits,
  baggageLimits,
  checkBaggage,
  type RepairedBaggage,
  repairBaggage,
} from "./baggage.ts";
export { type BaggageMember, editBaggage, findBaggageValue, readBaggage } from "./baggage-member.ts";
export { decodeBaggageText, encodeBaggageText } from "./baggage-text.ts";
export { type TrimmedBaggage, trimBaggage } from "./baggage-trim.ts";
export {
  decodeCaller,
  decodeFieldName,
  encodeCaller,
  encodeFieldName,
  maxCallerBytes,
} from "./field-name.ts";
export { decodeFieldValue, encodeFieldValue, fieldValueText, isSameFieldValue } from "./field-value.ts";
export {
  ChunkedScanner,
  type ChunkLimits,
  defaultChunkLimits,
  type ScanResult,
} from "./http1/chunked-scanner.ts";
export { type ChunkFault, describeFault, type HeadFault } from "./http1/faults.ts";
export {
  defaultHeadLimits,
  type Framing,
  type HeadLimits,
  HeadParser,
  type HeadResult,
} from "./http1/head-parser.ts";
export { RequestHeadParser } from "./http1/request-head-parser.ts";
export { ResponseHeadParser } from "./http1/response-head-parser.ts";
export {
  containsNetwork,
  type IpAddress,
  type IpNetwork,
  isInNetwork,
  networkText,
  parseIpAddress,
  parseIpNetwork,
} from "./ip-address.ts";
export type { JsonValue } from "./json-value.ts";
export {
  formatStructuredDictionary,
  formatStructuredItem,
  maxStructuredInteger,
  type StructuredItem,
  StructuredToken,
  type StructuredValue,
} from "./structured-field.ts";
export { parseStructuredDictionary, parseStructuredItem } from "./structured-field-parser.ts";
export {
  formatTraceparent,
  isTraceparent,
  maxTraceparentBytes,
  parseTraceparent,
  randomFlag,
  sampledFlag,
  type TraceParent,
} from "./traceparent.ts";
export { checkTracestate, tracestateLimits } from "./tracestate.ts";
