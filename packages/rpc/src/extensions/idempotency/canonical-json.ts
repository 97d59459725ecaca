import type { JsonValue } from "@clew/context";

/** JSON text that is the same for equal values, whatever the order of their members. Source: RFC 8785 §3.2. */
export function canonicalJson(value: JsonValue): string {
  // Numbers and strings: RFC 8785 takes over what ECMAScript writes.
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value as Record<string, JsonValue>)
    // By UTF-16 code units, as `<` compares. Names are unique, so none are equal.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
