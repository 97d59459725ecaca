import type { StandardSchemaV1 } from "@standard-schema/spec";
import { ContextError } from "../errors.ts";

export type Validation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: string };

/**
 * Asks a schema at once. A validator that throws has refused: what comes from outside must not throw into whoever
 * reads a field. Throws `ContextError` `E_CONTEXT_SCHEMA_ASYNC` for a schema that only answers later.
 */
export function validateNow(name: string, schema: StandardSchemaV1, value: unknown): Validation {
  const result = ask(schema, value);
  if (result instanceof Error) return { ok: false, reason: result.message };
  if ("then" in result) {
    // Nobody will wait for it, so nobody would catch it either.
    void result.then(undefined, () => undefined);
    throw new ContextError("E_CONTEXT_SCHEMA_ASYNC", `The schema of the field "${name}" is asynchronous.`, {
      hint: "Fields are read without waiting: use a schema without asynchronous checks or transforms.",
    });
  }
  if (result.issues === undefined) return { ok: true, value: result.value };
  return { ok: false, reason: result.issues[0]?.message ?? "refused without a reason" };
}

type Answer = ReturnType<StandardSchemaV1["~standard"]["validate"]>;

function ask(schema: StandardSchemaV1, value: unknown): Answer | Error {
  try {
    return schema["~standard"].validate(value);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
