import type { StandardSchemaV1 } from "@standard-schema/spec";
import { context } from "./ambient.ts";
import { emptyContext } from "./context.ts";
import {
  createFieldSet,
  type FieldInputs,
  type FieldOptions,
  type FieldSchemas,
  type FieldSet,
} from "./fields/field-set.ts";

/** Typed access to some fields, of the current context as well. */
export interface Fields<Schemas extends FieldSchemas> extends FieldSet<Schemas> {
  /** A field of the current context; otherwise as `read`. */
  get<Name extends keyof Schemas & string>(
    name: Name,
  ): StandardSchemaV1.InferOutput<Schemas[Name]> | undefined;
  /** Runs `fn` in a child scope with some fields changed; throws as `change` does. */
  with<T>(fields: FieldInputs<Schemas>, fn: () => T): T;
}

/** Declares fields, their types and their treatment for the whole process. Throws as {@link createFieldSet} does. */
export function defineFields<const Schemas extends FieldSchemas>(
  schemas: Schemas,
  options: FieldOptions<keyof Schemas & string> = {},
): Fields<Schemas> {
  const fieldSet = createFieldSet(schemas, options);
  return {
    ...fieldSet,
    get(name) {
      const current = context.current();
      return current === undefined ? undefined : fieldSet.read(current, name);
    },
    with(fields, fn) {
      return context.run(fieldSet.change(context.current() ?? emptyContext, fields), fn);
    },
  };
}
