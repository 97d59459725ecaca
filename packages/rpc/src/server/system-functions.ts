import { protocolVersion } from "../envelope/document.ts";
import { type EnvelopeLimits, maxResponseBytes } from "../envelope/limits.ts";
import type { ExtensionRegistry } from "../extensions/extension-registry.ts";
import { fromJsonSchema } from "../schemas/json-schema-validator.ts";
import { describeService, describeVersions } from "./describe.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import type { Health } from "./health.ts";

export interface SystemFunctionParts {
  readonly table: FunctionTable;
  readonly service: string;
  readonly version: string | undefined;
  readonly limits: EnvelopeLimits;
  readonly extensions: ExtensionRegistry;
  readonly health: Health;
}

const anything = fromJsonSchema({});
const healthArguments = fromJsonSchema({
  type: "object",
  properties: { component: { type: "string" }, include_details: { type: "boolean" } },
});
const describeArguments = fromJsonSchema({
  type: "object",
  properties: {
    function: { type: "string" },
    version: { type: "string" },
    include_schema: { type: "boolean" },
  },
  dependentRequired: { version: ["function"] },
});

/** Source: Forrst specification, system-functions. */
export function addSystemFunctions(parts: SystemFunctionParts): void {
  const { table, extensions, health, service, version = "0.0.0" } = parts;
  const add = (name: string, handler: unknown, args: typeof anything = anything, at = "1.0.0"): void =>
    table.addSystem({
      kind: "function",
      name,
      version: at,
      arguments: args,
      result: anything,
      handler: handler as (Definition & { kind: "function" })["handler"],
    });
  add("urn:cline:forrst:fn:ping", () => ({ status: "healthy", timestamp: new Date().toISOString() }));
  add("urn:cline:forrst:fn:capabilities", () => capabilities(parts));
  add(
    "urn:cline:forrst:fn:health",
    async (args: { component?: string; include_details?: boolean }) => ({
      ...(await health.report(args.component, args.include_details !== false)),
      version,
    }),
    healthArguments,
  );
  add(
    "urn:cline:forrst:fn:describe",
    (args: { function?: string; version?: string; include_schema?: boolean }) =>
      args.function === undefined
        ? describeService(table, service, version)
        : describeVersions(table, args.function, args.version, args.include_schema !== false),
    describeArguments,
  );
  for (const extension of extensions.extensions)
    for (const { name, version: at, handler } of extension.functions ?? []) add(name, handler, anything, at);
}

function capabilities({ table, service, limits, extensions }: SystemFunctionParts): object {
  return {
    service,
    protocol_versions: [protocolVersion],
    extensions: extensions.extensions.map(({ urn, capabilities: facts }) => ({ urn, ...facts })),
    functions: [...table.discoverable().keys()],
    limits: { max_request_bytes: limits.maxBodyBytes, max_response_bytes: maxResponseBytes },
  };
}
