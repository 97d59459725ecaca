import { type JsonObject, protocolVersion } from "../envelope/document.ts";
import { parseVersion, type Version } from "../envelope/semver.ts";
import { RpcError } from "../rpc-error.ts";
import { toJsonSchema } from "../schemas/to-json-schema.ts";
import type { Definition, FunctionTable } from "./function-table.ts";

/** Of the page "description". */
const descriptionVersion = "0.1.0";

/** Every function. Source: Forrst specification, description "Description Document Object". */
export function describeService(table: FunctionTable, title: string, version: string): JsonObject {
  const functions = [...table.discoverable().values()].flat().map(describeFunction);
  return { forrst: protocolVersion, describe: descriptionVersion, info: { title, version }, functions };
}

/** Source: Forrst specification, description "Function Object". */
function describeFunction(definition: Definition): JsonObject {
  const { name, version, docs } = definition;
  const { arguments: args, returns } = schemasOf(definition);
  return compact({
    name,
    version,
    summary: docs?.summary,
    description: docs?.description,
    side_effects: docs?.sideEffects ?? [],
    deprecated: docs?.deprecated,
    arguments: describeArguments(args),
    result: definition.kind === "function" && returns !== undefined ? { schema: returns } : undefined,
    errors: docs?.errors,
    examples: docs?.examples,
    // Custom members begin with x-. The list of arguments cannot say all that the schema as a whole can.
    "x-arguments-schema": args,
    "x-event-schema": definition.kind === "stream" ? returns : undefined,
    "x-stream": definition.kind === "stream" ? true : undefined,
    "x-schemas-omitted": omitted(definition),
  });
}

function describeArguments(schema: JsonObject | undefined): JsonObject[] {
  const properties = Object.entries((schema?.["properties"] ?? {}) as JsonObject);
  const required = (schema?.["required"] ?? []) as readonly string[];
  return properties.map(([name, property]) => ({
    name,
    schema: property,
    required: required.includes(name),
  }));
}

/**
 * One function, all versions or one. Source: Forrst specification, system-functions "urn:cline:forrst:fn:describe".
 * Throws FUNCTION_NOT_FOUND or VERSION_NOT_FOUND.
 */
export function describeVersions(
  table: FunctionTable,
  name: string,
  version: string | undefined,
  withSchema: boolean,
): JsonObject {
  const all = table.discoverable().get(name);
  if (all === undefined) {
    throw new RpcError("FUNCTION_NOT_FOUND", `Unknown function ${name}`, {
      source: { pointer: "/call/arguments/function" },
      details: { function: name },
    });
  }
  const shown = version === undefined ? all : all.filter((definition) => definition.version === version);
  if (shown.length === 0) {
    throw new RpcError("VERSION_NOT_FOUND", `Version ${version} not found for function ${name}`, {
      source: { pointer: "/call/arguments/version" },
      details: {
        function: name,
        requested_version: version ?? null,
        available_versions: all.map((definition) => definition.version),
      },
    });
  }
  const recommended = all.findLast(({ version: text }) => stabilityOf(text) === "stable");
  const docs = recommended?.docs ?? all.at(-1)?.docs;
  return compact({
    function: name,
    description: docs?.description ?? docs?.summary,
    side_effects: docs?.sideEffects ?? [],
    versions: shown.map((definition) => describeVersion(definition, withSchema)),
    recommended_version: recommended?.version,
  });
}

function describeVersion(definition: Definition, withSchema: boolean): JsonObject {
  const { version, docs, extensions } = definition;
  return compact({
    version,
    stability: stabilityOf(version),
    description: docs?.description ?? docs?.summary,
    deprecated: docs?.deprecated,
    extensions,
    schema: withSchema ? compact(schemasOf(definition)) : undefined,
    examples: docs?.examples,
    "x-stream": definition.kind === "stream" ? true : undefined,
    "x-schemas-omitted": withSchema ? omitted(definition) : undefined,
  });
}

function schemasOf(definition: Definition): {
  readonly arguments: JsonObject | undefined;
  readonly returns: JsonObject | undefined;
} {
  const given = definition.kind === "function" ? definition.result : definition.event;
  return { arguments: toJsonSchema(definition.arguments, "input"), returns: toJsonSchema(given, "output") };
}

/** Which schemas are not told because their library cannot write them as JSON Schema. */
function omitted(definition: Definition): string[] | undefined {
  const schemas = schemasOf(definition);
  const names = (["arguments", "returns"] as const).filter((name) => schemas[name] === undefined);
  return names.length === 0 ? undefined : names;
}

/** Source: Forrst specification, versioning "Prerelease Versions". */
function stabilityOf(version: string): string {
  const [tag] = (parseVersion(version) as Version).prerelease;
  if (tag === undefined) return "stable";
  return tag === "alpha" || tag === "rc" ? tag : "beta";
}

function compact(members: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}
