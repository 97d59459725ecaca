import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isReservedName } from "../contract.ts";
import { protocolVersion } from "../envelope/document.ts";
import { type EnvelopeLimits, maxResponseBytes } from "../envelope/limits.ts";
import type { ExtensionRegistry } from "../extensions/extension-registry.ts";
import type { FunctionTable } from "./function-table.ts";

const anything: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "clew", validate: (value) => ({ value }) },
};

/** Source: Forrst specification, system-functions. */
export function addSystemFunctions(
  table: FunctionTable,
  service: string,
  limits: EnvelopeLimits,
  { extensions }: ExtensionRegistry,
): void {
  const common = { kind: "function", version: "1.0.0", arguments: anything, result: anything } as const;
  table.addSystem({
    ...common,
    name: "urn:cline:forrst:fn:ping",
    handler: () => ({ status: "healthy", timestamp: new Date().toISOString() }),
  });
  table.addSystem({
    ...common,
    name: "urn:cline:forrst:fn:capabilities",
    handler: () => ({
      service,
      protocol_versions: [protocolVersion],
      extensions: extensions.map(({ urn, capabilities }) => ({ urn, ...capabilities })),
      functions: table.names().filter((name) => !isReservedName(name)),
      limits: { max_request_bytes: limits.maxBodyBytes, max_response_bytes: maxResponseBytes },
    }),
  });
  for (const { name, version, handler } of extensions.flatMap((extension) => extension.functions ?? []))
    table.addSystem({ ...common, name, version, handler });
}
