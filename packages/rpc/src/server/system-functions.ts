import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isReservedName } from "../contract.ts";
import { protocolVersion } from "../envelope/document.ts";
import { type EnvelopeLimits, maxResponseBytes } from "../envelope/limits.ts";
import { streamUrn } from "../extensions/extension-urn.ts";
import type { FunctionTable } from "./function-table.ts";

const anything: StandardSchemaV1<unknown, unknown> = {
  "~standard": { version: 1, vendor: "clew", validate: (value) => ({ value }) },
};

/** Source: Forrst specification, system-functions. */
export function addSystemFunctions(table: FunctionTable, service: string, limits: EnvelopeLimits): void {
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
      extensions: [{ urn: streamUrn }],
      functions: table.names().filter((name) => !isReservedName(name)),
      limits: { max_request_bytes: limits.maxBodyBytes, max_response_bytes: maxResponseBytes },
    }),
  });
}
