import { decodeBaggageText, decodeFieldName, readBaggage } from "@clew/wire";
import { type Context, emptyContext } from "../context.ts";
import { extractContext } from "../extract.ts";
import { injectContext } from "../inject.ts";
import type { OtelBaggage, OtelContext } from "./api-types.ts";
import { ContextBaggage, withEntries } from "./context-baggage.ts";
import { baggageKey, fromOtelContext, holdingScope, markExtracted } from "./shared-context.ts";

/** `TextMapGetter` of OpenTelemetry's API. */
export interface OtelGetter {
  get(carrier: unknown, name: string): unknown;
}

/** The context that a carrier of OpenTelemetry's holds. Throws only if its getter does. */
export function contextFromCarrier(carrier: unknown, getter: OtelGetter): Context {
  return extractContext((name) => {
    const value = getter.get(carrier, name);
    if (typeof value === "string") return value;
    return Array.isArray(value) ? value.filter((line) => typeof line === "string") : undefined;
  });
}

/**
 * What an OpenTelemetry propagator has extracted, with what it has lost on the way put back: its baggage drops and
 * rewrites members that are well-formed, and has no caller. What it has from elsewhere than the `baggage` header, as
 * Jaeger's propagator has, stays.
 */
export function completeExtracted(extracted: OtelContext, received: Context, carrier: unknown): OtelContext {
  const marked = markExtracted(extracted, carrier);
  const baggage = extracted.getValue(baggageKey) as OtelBaggage | undefined;
  // Nothing came, so what was there before stays. Source: OpenTelemetry specification, Propagators API, "Extract".
  if (received.baggage === "") return received === emptyContext ? marked : holdingScope(marked, received);
  const names = namesOf(received);
  const others = (baggage?.getAllEntries() ?? []).filter(([name]) => !names.has(name));
  const complete = withEntries(received, others);
  return holdingScope(marked, complete).setValue(baggageKey, new ContextBaggage(complete));
}

/** The names of the fields, ours and those that a parser has which percent-decodes every key. */
function namesOf(context: Context): Set<string> {
  const names = new Set<string>();
  for (const { key } of readBaggage(context.baggage)) {
    names.add(decodeFieldName(key)).add(decodeBaggageText(key));
  }
  return names;
}

/** The headers that carry what an OpenTelemetry context amounts to. */
export function headersFor(otel: OtelContext, service: string): Map<string, string> {
  const headers = new Map<string, string>();
  injectContext(fromOtelContext(otel) ?? emptyContext, (name, value) => headers.set(name, value), {
    service,
  });
  return headers;
}
