import type { JsonValue } from "@clew/context";
import type { JsonObject } from "@clew/rpc";

/** As deep as a sample goes; what lies deeper is left out or null. */
const maxDepth = 8;

/** A value that a JSON Schema allows, mostly: the first of what it offers, with every required member. */
export function sampleOf(schema: unknown, depth = 0): JsonValue {
  if (typeof schema !== "object" || schema === null || depth > maxDepth) return null;
  const { const: only, default: usual, examples, enum: values, anyOf, oneOf, type } = schema as JsonObject;
  if (only !== undefined) return only;
  if (usual !== undefined) return usual;
  for (const offered of [examples, values])
    if (Array.isArray(offered) && offered.length > 0) return offered[0];
  for (const options of [anyOf, oneOf]) if (Array.isArray(options)) return sampleOf(options[0], depth + 1);
  return sampleByType(Array.isArray(type) ? type[0] : type, schema as JsonObject, depth);
}

function sampleByType(type: unknown, schema: JsonObject, depth: number): JsonValue {
  switch (type) {
    case "string":
      return sampleText(schema);
    case "integer":
    case "number":
      return typeof schema["minimum"] === "number" ? schema["minimum"] : 0;
    case "boolean":
      return false;
    case "array": {
      const count = typeof schema["minItems"] === "number" ? Math.min(schema["minItems"], 10) : 0;
      return Array.from({ length: count }, () => sampleOf(schema["items"], depth + 1));
    }
    case "object": {
      const properties = (schema["properties"] ?? {}) as JsonObject;
      const required = (schema["required"] ?? []) as readonly string[];
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name], depth + 1)]));
    }
    default:
      return null;
  }
}

function sampleText({ format, minLength }: JsonObject): string {
  if (format === "date-time") return "2026-01-01T00:00:00Z";
  if (format === "date") return "2026-01-01";
  if (format === "email") return "someone@example.com";
  if (format === "uuid") return "00000000-0000-4000-8000-000000000000";
  if (format === "uri") return "https://example.com/";
  return "text".padEnd(typeof minLength === "number" ? Math.min(minLength, 1_000) : 0, "x");
}
