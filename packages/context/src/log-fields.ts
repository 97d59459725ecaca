import { decodeFieldValue, encodeFieldName, findBaggageValue, type JsonValue } from "@clew/wire";
import type { Context } from "./context.ts";
import { declaredField, loggedFields } from "./fields/declarations.ts";

/** Stands in logs and spans for the value of a field declared personal. */
const redacted = "[redacted]";

/** A value that OpenTelemetry takes as an attribute. */
export type AttributeValue = string | number | boolean | string[] | number[] | boolean[];

/**
 * What a log line says of a context: `caller`, `trace_id`, `span_id` (the span of the caller), and the fields declared
 * for logs. What is absent is left out. A fresh object each time, for loggers that change what they are given.
 */
export function logFields(context: Context): Record<string, JsonValue> {
  const line = Object.fromEntries(chosenFields(context));
  if (context.caller !== undefined) line["caller"] = context.caller;
  if (context.traceparent !== undefined) {
    line["trace_id"] = context.traceparent.slice(3, 35);
    line["span_id"] = context.traceparent.slice(36, 52);
  }
  return line;
}

/**
 * The same fields as attributes of a span or log record of OpenTelemetry: flat, and without the trace, which those
 * have themselves. `caller` is named `clew.caller`; null is left out; what is no primitive, and no list of one kind of
 * primitive, becomes its JSON text.
 */
export function attributesOf(context: Context): Record<string, AttributeValue> {
  const attributes: [string, AttributeValue][] = [];
  if (context.caller !== undefined) attributes.push(["clew.caller", context.caller]);
  for (const [name, value] of chosenFields(context)) {
    if (value !== null) attributes.push([name, toPrimitive(value) ?? context.text(name) ?? ""]);
  }
  return Object.fromEntries(attributes);
}

function chosenFields(context: Context): [string, JsonValue][] {
  const chosen: [string, JsonValue][] = [];
  if (context.baggage === "") return chosen;
  for (const name of loggedFields()) {
    const encoded = findBaggageValue(context.baggage, encodeFieldName(name));
    if (encoded === undefined) continue;
    chosen.push([name, declaredField(name)?.pii === true ? redacted : decodeFieldValue(encoded)]);
  }
  return chosen;
}

function toPrimitive(value: Exclude<JsonValue, null>): AttributeValue | undefined {
  if (typeof value !== "object") return value;
  return isListOfOneKind(value) ? ([...value] as AttributeValue) : undefined;
}

function isListOfOneKind(value: object): value is readonly (string | number | boolean)[] {
  if (!Array.isArray(value)) return false;
  const kinds = new Set(value.map((item) => typeof item));
  return kinds.size <= 1 && !kinds.has("object");
}
