import { createRequire } from "node:module";
import type { OutputUnit, Validator } from "@cfworker/json-schema";
import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import { RpcError } from "../rpc-error.ts";
import type { JsonSchema } from "./json-schema.ts";

// Only this file knows which validator is used, and only contracts in plain JSON Schema load it.
const loadValidator = (): typeof Validator =>
  createRequire(import.meta.url)("@cfworker/json-schema").Validator;

type Both = StandardSchemaV1<unknown, unknown> & StandardJSONSchemaV1<unknown, unknown>;

/** Throws E_RPC_CONTRACT for a schema that cannot be used. */
export function fromJsonSchema(schema: JsonSchema): Both {
  const JsonSchemaValidator = loadValidator();
  const validator = new JsonSchemaValidator(schema as object, "2020-12", false);
  try {
    // References that lead nowhere show only when the schema is used.
    validator.validate({});
  } catch (cause) {
    throw new RpcError("E_RPC_CONTRACT", `a JSON Schema cannot be used: ${(cause as Error).message}`, {
      hint: "Only references inside of the schema itself can be followed.",
      cause,
    });
  }
  const asJson = (): Record<string, unknown> => schema;
  return {
    "~standard": {
      version: 1,
      vendor: "json-schema",
      jsonSchema: { input: asJson, output: asJson },
      validate(value) {
        try {
          const { valid, errors } = validator.validate(value);
          return valid ? { value } : { issues: readIssues(errors) };
        } catch (error) {
          // The validator encodes names for its pointers, which half a surrogate pair makes impossible.
          if (error instanceof URIError) return { issues: [{ message: "holds a name that is not Unicode" }] };
          throw error;
        }
      },
    },
  };
}

/** Keywords that only say that something below them is wrong, which has an entry of its own. */
const containers: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "items",
  "prefixItems",
  "unevaluatedItems",
  "allOf",
  "$ref",
  "$dynamicRef",
  "if",
  "dependentSchemas",
]);

/** Keywords whose alternatives failed each for reasons of its own: only that none fits is worth telling. */
const choices: ReadonlySet<string> = new Set(["anyOf", "oneOf", "not", "contains", "propertyNames"]);

function readIssues(units: readonly OutputUnit[]): StandardSchemaV1.Issue[] {
  const failedChoices = units.filter(({ keyword }) => choices.has(keyword));
  const told = units.filter(
    (unit) =>
      !containers.has(unit.keyword) &&
      !failedChoices.some(({ keywordLocation }) => unit.keywordLocation.startsWith(`${keywordLocation}/`)),
  );
  return (told.length > 0 ? told : units).map(readIssue);
}

function readIssue({ keyword, instanceLocation, error }: OutputUnit): StandardSchemaV1.Issue {
  const path = instanceLocation
    .split("/")
    .slice(1)
    .map((segment) => decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "required") {
    const name = /"(.*)"/.exec(error)?.[1];
    return { message: "is missing", path: name === undefined ? path : [...path, name] };
  }
  if (keyword === "false") return { message: "is not allowed here", path };
  return { message: error, path };
}
