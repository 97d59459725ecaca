import { formatTraceparent, isTraceparent, parseTraceparent, randomFlag } from "@clew/wire";
import { type Context, emptyContext, RequestContext } from "../context.ts";
import type { OtelBaggage, OtelContext, OtelSpanContext } from "./api-types.ts";
import { ContextBaggage, withBaggage } from "./context-baggage.ts";

// The API makes its keys by `Symbol.for`, so that its copies agree on them; that is what lets us in as well.
export const baggageKey: unique symbol = Symbol.for("OpenTelemetry Baggage Key") as never;
export const spanKey: unique symbol = Symbol.for("OpenTelemetry Context Key SPAN") as never;
const suppressKey: unique symbol = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING") as never;

/** In an OpenTelemetry context: the Clew context whose scope was entered last. Holds what a baggage cannot: caller and trace. */
const scopeKey: unique symbol = Symbol.for("clew.context") as never;
/** In an OpenTelemetry context: that its scope was entered where tracing was suppressed already. */
const enteredSuppressedKey: unique symbol = Symbol.for("clew.context.entered-suppressed") as never;

/** What carries a context, in an OpenTelemetry context that was extracted from it. */
const carrierKey: unique symbol = Symbol.for("clew.context.carrier") as never;

/** Contexts of either kind are immutable, so what one amounts to is worked out once. */
const known = new WeakMap<OtelContext, Context>();

/**
 * The Clew context that an OpenTelemetry context amounts to: the fields are those of its baggage, whoever set it, and
 * the trace is that of its span, if it has a valid one. Undefined where it has neither, nor a scope of ours, and
 * where OpenTelemetry suppresses tracing, as it does for what its exporters send: there it carries nothing either.
 *
 * @param outer the scope around, which is not OpenTelemetry's: one that was entered before its SDK was started.
 */
export function fromOtelContext(otel: OtelContext, outer?: Context): Context | undefined {
  const before = known.get(otel);
  if (before !== undefined) return before;
  if (otel.getValue(suppressKey) === true && otel.getValue(enteredSuppressedKey) !== true) return undefined;
  const own = otel.getValue(scopeKey) as Context | undefined;
  const baggage = otel.getValue(baggageKey) as OtelBaggage | undefined;
  const spanContext = spanContextOf(otel);
  const scope = own ?? outer;
  if (scope === undefined && baggage === undefined && spanContext === undefined) return undefined;
  const isUntouched = baggage === undefined && own === undefined;
  const fields = isUntouched ? (scope ?? emptyContext) : withBaggage(scope ?? emptyContext, baggage);
  const context = spanContext === undefined ? fields : withTraceOf(fields, spanContext);
  if (outer === undefined) known.set(otel, context);
  return context;
}

/** An OpenTelemetry context that holds a Clew context, in the place of any that it held; undefined: that holds none. */
export function intoOtelContext(otel: OtelContext, context: Context | undefined): OtelContext {
  if (context === undefined) return otel.deleteValue(scopeKey).deleteValue(baggageKey);
  const holding = holdingScope(otel, context);
  // No fields, no baggage: so it is in a service that knows nothing of us.
  return context.baggage === ""
    ? holding.deleteValue(baggageKey)
    : holding.setValue(baggageKey, new ContextBaggage(context));
}

/** An OpenTelemetry context with a scope of ours entered in it; its baggage is left as it is. */
export function holdingScope(otel: OtelContext, context: Context): OtelContext {
  const holding = otel.setValue(scopeKey, context);
  return otel.getValue(suppressKey) === true ? holding.setValue(enteredSuppressedKey, true) : holding;
}

/** Says what an OpenTelemetry context was extracted from. */
export function markExtracted(otel: OtelContext, carrier: unknown): OtelContext {
  return otel.setValue(carrierKey, carrier);
}

/** What an OpenTelemetry context amounts to, if it was extracted from this very carrier; so nothing in it is another request's. */
export function extractedHere(otel: OtelContext, carrier: unknown): Context | undefined {
  return otel.getValue(carrierKey) === carrier ? (fromOtelContext(otel) ?? emptyContext) : undefined;
}

function spanContextOf(otel: OtelContext): OtelSpanContext | undefined {
  const span = otel.getValue(spanKey) as { spanContext?(): OtelSpanContext } | undefined;
  return span?.spanContext?.();
}

/** Where a span is active it decides the trace; one without valid ids decides nothing. */
function withTraceOf(context: Context, span: OtelSpanContext): Context {
  const earlier = context.traceparent === undefined ? undefined : parseTraceparent(context.traceparent);
  const isSameTrace = earlier?.traceId === span.traceId;
  // The very span that the request came from: its bytes are handed on as they came.
  if (isSameTrace && earlier?.parentId === span.spanId) return context;
  // SDKs write only the flag that they know; whether the id is random does not change along the trace.
  const flags = span.traceFlags | (isSameTrace ? (earlier?.flags ?? 0) & randomFlag : 0);
  const traceparent = formatTraceparent({ traceId: span.traceId, parentId: span.spanId, flags });
  if (!isTraceparent(traceparent)) return context;
  const tracestate = span.traceState?.serialize() || undefined;
  const isWithinLimits = context instanceof RequestContext && context.isWithinLimits;
  return new RequestContext(context.baggage, isWithinLimits, traceparent, tracestate, context.caller);
}
