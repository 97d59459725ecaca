import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { FromJsonSchema, JsonSchema } from "./json-schema.ts";
import { fromJsonSchema } from "./json-schema-validator.ts";

/** Anything of Zod, Valibot, ArkType and others that speak Standard Schema, or a plain JSON Schema. */
export type Schema = StandardSchemaV1<unknown, unknown> | StandardSchemaV1<never, unknown> | JsonSchema;

/** The type of what a schema gives. */
export type Infer<S> = S extends { readonly "~standard": unknown }
  ? S extends StandardSchemaV1<infer _Input, infer Output>
    ? Output
    : never
  : FromJsonSchema<S>;

/** Throws E_RPC_CONTRACT for a JSON Schema that cannot be used. */
export function toStandardSchema<S extends Schema>(schema: S): StandardSchemaV1<unknown, Infer<S>> {
  if ("~standard" in schema) return schema as unknown as StandardSchemaV1<unknown, Infer<S>>;
  return fromJsonSchema(schema) as StandardSchemaV1<unknown, Infer<S>>;
}
