import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Context, type FieldChanges, fieldKey } from "../context.ts";
import { ContextError } from "../errors.ts";
import { type FaultHook, publishFault } from "../faults.ts";
import type { JoinPolicy } from "../join.ts";
import { declareField } from "./declarations.ts";
import { validateNow } from "./validate.ts";

/** Field name → a synchronous Standard Schema of its value. */
export type FieldSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** Values to set, as the schemas take them; undefined removes a field. */
export type FieldInputs<Schemas extends FieldSchemas> = {
  readonly [Name in keyof Schemas]?: StandardSchemaV1.InferInput<Schemas[Name]> | undefined;
};

/** What else is declared of the fields, for the whole process. */
export interface FieldOptions<Name extends string> {
  /** Kept longer than others when there is too much to send, in this order. */
  readonly important?: readonly Name[] | undefined;
  /** Personal: `[redacted]` in logs and spans. They are sent to services all the same. */
  readonly pii?: readonly Name[] | undefined;
  /** Part of `context.log()` and `context.attributes()`. */
  readonly log?: readonly Name[] | undefined;
  /** How contexts that differ are joined. Default `single`. */
  readonly join?: { readonly [N in Name]?: JoinPolicy | undefined } | undefined;
  /** Default: publishes on the diagnostics channels of {@link contextChannels}. */
  readonly onFault?: FaultHook | undefined;
}

/** Typed access to some fields of a context. */
export interface FieldSet<Schemas extends FieldSchemas> {
  /** The schema's output. A value that it refuses is reported as `mistyped` and counts as absent. */
  read<Name extends keyof Schemas & string>(
    context: Context,
    name: Name,
  ): StandardSchemaV1.InferOutput<Schemas[Name]> | undefined;
  /**
   * As `Context.with`, which says what else is thrown. The value is sent as given; its schema's output is for readers.
   * Throws `ContextError` `E_CONTEXT_FIELD` for a value that the schema refuses.
   */
  change(context: Context, fields: FieldInputs<Schemas>): Context;
}

/**
 * Declares fields and their types. Throws `ContextError`: `E_CONTEXT_NAME` for a name that no carrier can hold,
 * `E_CONTEXT_SCHEMA_ASYNC` for a schema that is asynchronous (here if it shows at once, else at its first use),
 * `E_CONTEXT_FIELD_TWICE` where an earlier declaration joins differently.
 */
export function createFieldSet<const Schemas extends FieldSchemas>(
  schemas: Schemas,
  options: FieldOptions<keyof Schemas & string> = {},
): FieldSet<Schemas> {
  declareAll(schemas, options);
  const { onFault = publishFault } = options;
  return {
    read(context, name) {
      const value = context.get(name);
      if (value === undefined) return undefined;
      const outcome = validateNow(name, schemaOf(schemas, name), value);
      if (outcome.ok) return outcome.value as never;
      onFault("mistyped", 1, name);
      return undefined;
    },
    change(context, fields) {
      for (const [name, value] of Object.entries(fields)) {
        if (value !== undefined) checkOwnValue(name, schemaOf(schemas, name), value);
      }
      return context.with(fields as FieldChanges);
    },
  };
}

function declareAll(schemas: FieldSchemas, options: FieldOptions<string>): void {
  const { important = [], pii = [], log = [], join = {} } = options;
  for (const [name, schema] of Object.entries(schemas)) {
    fieldKey(name);
    validateNow(name, schema, undefined);
  }
  const names = new Set([...important, ...Object.keys(schemas)]);
  for (const name of names) {
    declareField(name, {
      important: important.includes(name),
      pii: pii.includes(name),
      log: log.includes(name),
      join: join[name],
    });
  }
}

function schemaOf(schemas: FieldSchemas, name: string): StandardSchemaV1 {
  const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
  if (schema !== undefined) return schema;
  throw new ContextError("E_CONTEXT_FIELD", `The field "${name}" is not one of those defined here.`, {
    hint: `Defined are: ${Object.keys(schemas).join(", ")}.`,
  });
}

function checkOwnValue(name: string, schema: StandardSchemaV1, value: unknown): void {
  const outcome = validateNow(name, schema, value);
  if (outcome.ok) return;
  throw new ContextError(
    "E_CONTEXT_FIELD",
    `The schema of the field "${name}" refuses it: ${outcome.reason}`,
    {
      hint: "Set a value that the field's schema takes.",
    },
  );
}
