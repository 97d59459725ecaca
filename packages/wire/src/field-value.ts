import { baggageOctetClass } from "./characters.ts";
import type { JsonValue } from "./json-value.ts";
import { percentDecode, percentEncode } from "./percent.ts";

const jsonPrefix = "json:";
const stringPrefix = "str:";

/**
 * The baggage value of a field: a string percent-encoded, any other JSON value as `json:` and its compact text,
 * percent-encoded. A string that begins with one of the two prefixes gets `str:` before it.
 *
 * Throws `TypeError` or `RangeError` for what JSON cannot hold: a bigint, a function, a cycle.
 */
export function encodeFieldValue(value: JsonValue): string {
  if (typeof value === "string") {
    return percentEncode(hasPrefix(value) ? stringPrefix + value : value, baggageOctetClass);
  }
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`A ${typeof value} has no JSON text.`);
  return percentEncode(jsonPrefix + text, baggageOctetClass);
}

/** Never throws: a `json:` that does not parse is the string it is. */
export function decodeFieldValue(encoded: string): JsonValue {
  const text = percentDecode(encoded);
  if (text.startsWith(jsonPrefix)) {
    const value = parseJson(text.slice(jsonPrefix.length));
    return value === undefined ? text : value;
  }
  return withoutStringPrefix(text);
}

/**
 * A value as text, the way routing compares it: a string as it is, any other value as its compact JSON text.
 * A number keeps the digits that came, so `9007199254740993` is not rounded.
 */
export function fieldValueText(encoded: string): string {
  const text = percentDecode(encoded);
  if (!text.startsWith(jsonPrefix)) return withoutStringPrefix(text);
  const json = text.slice(jsonPrefix.length);
  const value = parseJson(json);
  if (value === undefined) return text;
  return typeof value === "number" ? json.trim() : (compactJson(value) ?? json);
}

/** Whether two encoded values mean the same, however each was escaped. */
export function isSameFieldValue(left: string, right: string): boolean {
  if (left === right) return true;
  const value = decodeFieldValue(left);
  if (typeof value === "string") return encodeFieldValue(value) === right;
  const json = compactJson(value);
  return json !== undefined && percentEncode(jsonPrefix + json, baggageOctetClass) === right;
}

function withoutStringPrefix(text: string): string {
  if (!text.startsWith(stringPrefix)) return text;
  const rest = text.slice(stringPrefix.length);
  return hasPrefix(rest) ? rest : text;
}

function hasPrefix(text: string): boolean {
  return text.startsWith(jsonPrefix) || text.startsWith(stringPrefix);
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Text of another tool that only looks like ours: not JSON is an answer, not a fault.
    return undefined;
  }
}

function compactJson(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // Parsing takes any depth, writing only what the stack holds: thousands of brackets have no compact form.
    return undefined;
  }
}
