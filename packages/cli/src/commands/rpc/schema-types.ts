import type { JsonObject } from "@clew/rpc";

/** References may lead in circles; below this depth a type is `unknown`. */
const maxDepth = 24;

/** A JSON Schema as the text of a TypeScript type. What types cannot say is left out; what is not known is `unknown`. */
export function schemaToType(schema: unknown, root: JsonObject = {}, depth = 0): string {
  if (schema === false) return "never";
  if (typeof schema !== "object" || schema === null || depth > maxDepth) return "unknown";
  const below = (inner: unknown): string => schemaToType(inner, root, depth + 1);
  const { $ref, const: only, enum: values, anyOf, oneOf, allOf, type } = schema as JsonObject;
  if (typeof $ref === "string") return below(follow($ref, root));
  if (only !== undefined) return JSON.stringify(only);
  if (Array.isArray(values)) return union(values.map((value) => JSON.stringify(value)));
  const options = anyOf ?? oneOf;
  if (Array.isArray(options)) return union(options.map(below));
  if (Array.isArray(allOf)) return allOf.map((part) => `(${below(part)})`).join(" & ");
  if (Array.isArray(type)) return union(type.map((name) => typeByName(name, schema as JsonObject, below)));
  return typeByName(type, schema as JsonObject, below);
}

function typeByName(name: unknown, schema: JsonObject, below: (inner: unknown) => string): string {
  switch (name) {
    case "string":
    case "boolean":
    case "null":
    case "number":
      return name;
    case "integer":
      return "number";
    case "array":
      return Array.isArray(schema["prefixItems"])
        ? `[${schema["prefixItems"].map(below).join(", ")}]`
        : `(${below(schema["items"])})[]`;
    case "object":
      return objectType(schema, below);
    default:
      return schema["properties"] === undefined ? "unknown" : objectType(schema, below);
  }
}

function objectType(schema: JsonObject, below: (inner: unknown) => string): string {
  const properties = Object.entries((schema["properties"] ?? {}) as JsonObject);
  const required = (schema["required"] ?? []) as readonly unknown[];
  const others = schema["additionalProperties"];
  if (properties.length === 0) return `Record<string, ${below(others === true ? {} : others)}>`;
  const members = properties.map(
    ([name, inner]) => `${JSON.stringify(name)}${required.includes(name) ? "" : "?"}: ${below(inner)}`,
  );
  return `{ ${members.join("; ")} }`;
}

function union(types: readonly string[]): string {
  return types.length === 0 ? "never" : [...new Set(types)].join(" | ");
}

/** Only references inside of the schema are followed. */
function follow(reference: string, root: JsonObject): unknown {
  if (!reference.startsWith("#")) return undefined;
  let found: unknown = root;
  for (const segment of reference.slice(1).split("/").filter(Boolean)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    found = typeof found === "object" && found !== null ? (found as JsonObject)[name] : undefined;
  }
  return found;
}
