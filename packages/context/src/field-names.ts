/** The custom field that holds the routing key. */
export const routeField = "clew-route";
/** The custom field whose nonce asks every agent on the way to tell its decision. */
export const explainField = "clew-explain";
/** The custom field that holds the signature over other fields. */
export const signatureField = "clew-sig";
/** The custom field that names the fields which joined contexts did not agree on. */
export const conflictsField = "clew-conflicts";
/** Fields that begin so are Clew's own; they come from headers alone, never from a body. */
export const ownFieldPrefix = "clew-";

/** The HTTP headers, and gRPC metadata, that hold a context. */
export const contextHeaderNames: readonly ["baggage", "traceparent", "tracestate", "x-forrst-caller"] = [
  "baggage",
  "traceparent",
  "tracestate",
  "x-forrst-caller",
];
