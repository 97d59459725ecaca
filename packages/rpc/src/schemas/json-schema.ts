/** A JSON Schema, draft 2020-12, as data. Written `as const`, or in place, it also gives the types. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly [keyword: string]: unknown;
}

/**
 * The type of what a JSON Schema allows, as far as types can say it: `type`, `properties`, `required`, `items`,
 * `enum`, `const`, `anyOf` and `oneOf`. Other keywords narrow nothing; `$ref` is `unknown`.
 */
export type FromJsonSchema<S> = S extends { readonly const: infer Value }
  ? Value
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly anyOf: readonly (infer Option)[] }
      ? FromOption<Option>
      : S extends { readonly oneOf: readonly (infer Option)[] }
        ? FromOption<Option>
        : S extends { readonly type: readonly (infer Name)[] }
          ? FromTypeName<Name, S>
          : S extends { readonly type: infer Name }
            ? FromTypeName<Name, S>
            : unknown;

/** One by one, not the union as a whole. */
type FromOption<Option> = Option extends unknown ? FromJsonSchema<Option> : never;

type FromTypeName<Name, S> = Name extends "string"
  ? string
  : Name extends "number" | "integer"
    ? number
    : Name extends "boolean"
      ? boolean
      : Name extends "null"
        ? null
        : Name extends "array"
          ? S extends { readonly items: infer Item }
            ? FromJsonSchema<Item>[]
            : unknown[]
          : Name extends "object"
            ? FromProperties<S>
            : unknown;

type FromProperties<S> = S extends { readonly properties: infer Properties }
  ? Flat<
      {
        -readonly [Name in keyof Properties as Name extends RequiredOf<S> ? Name : never]: FromJsonSchema<
          Properties[Name]
        >;
      } & {
        -readonly [Name in keyof Properties as Name extends RequiredOf<S> ? never : Name]?:
          | FromJsonSchema<Properties[Name]>
          | undefined;
      }
    >
  : Record<string, unknown>;

type RequiredOf<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;

/** One object in the editor, instead of an intersection. */
type Flat<T> = { [Name in keyof T]: T[Name] } & {};
