import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonObject } from "../envelope/document.ts";

/**
 * The schema as JSON Schema 2020-12, if its library offers that (Zod, ArkType, plain JSON Schema); undefined if not
 * (Valibot, without its converter), or if the schema holds what JSON Schema cannot say.
 */
export function toJsonSchema(
  schema: StandardSchemaV1<unknown, unknown>,
  direction: "input" | "output",
): JsonObject | undefined {
  const { jsonSchema }: Partial<StandardJSONSchemaV1.Props> = schema["~standard"];
  if (jsonSchema === undefined) return undefined;
  try {
    return jsonSchema[direction]({ target: "draft-2020-12" }) as JsonObject;
  } catch {
    // The library's word for "cannot be said in JSON Schema": the description says so in its turn.
    return undefined;
  }
}
