import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkContract, isReservedName } from "../contract.ts";
import type { JsonObject } from "../envelope/document.ts";
import { compareVersions, parseVersion, type Version } from "../envelope/semver.ts";
import type { FunctionExtras } from "../function-docs.ts";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "./call.ts";

interface DefinitionBase extends FunctionExtras {
  readonly name: string;
  readonly version: string;
  readonly arguments: StandardSchemaV1<unknown, unknown>;
}

export type Definition =
  | (DefinitionBase & {
      readonly kind: "function";
      readonly result: StandardSchemaV1<unknown, unknown>;
      readonly handler: (args: never, call: Call) => unknown;
    })
  | (DefinitionBase & {
      readonly kind: "stream";
      readonly event: StandardSchemaV1<unknown, unknown>;
      readonly handler: (args: never, call: Call) => AsyncIterable<unknown>;
    });

type Entry = { readonly version: Version; readonly definition: Definition };

export class FunctionTable {
  readonly #functions = new Map<string, Entry[]>();
  readonly #statuses = new Map<string, FunctionStatus>();

  /** Throws E_RPC_CONTRACT for a name or version that cannot be called, or one that is there already. */
  add(definition: Definition): void {
    checkContract(definition.name, definition.version);
    this.addSystem(definition);
  }

  /** The same for the protocol's own functions, whose names are reserved. */
  addSystem(definition: Definition): void {
    const version = parseVersion(definition.version) as Version;
    const entries = this.#functions.get(definition.name) ?? [];
    if (entries.some((entry) => entry.version.text === version.text)) {
      throw new RpcError("E_RPC_CONTRACT", `${definition.name} ${version.text} is defined twice`);
    }
    entries.push({ version, definition });
    entries.sort((a, b) => compareVersions(a.version, b.version));
    this.#functions.set(definition.name, entries);
  }

  /** What people and tools may know of: by name, each with its versions in order, the protocol's own left out. */
  discoverable(): ReadonlyMap<string, readonly Definition[]> {
    const found = new Map<string, readonly Definition[]>();
    for (const [name, entries] of this.#functions) {
      const shown = entries
        .map(({ definition }) => definition)
        .filter(({ docs }) => docs?.isDiscoverable !== false);
      if (shown.length > 0 && !isReservedName(name)) found.set(name, shown);
    }
    return found;
  }

  /** Makes a function refuse calls, whatever their version. Source: Forrst specification, "Function-Level Health". */
  setStatus(name: string, status: FunctionStatus | undefined): void {
    if (status === undefined || status.status === "healthy") this.#statuses.delete(name);
    else this.#statuses.set(name, status);
  }

  statuses(): ReadonlyMap<string, FunctionStatus> {
    return this.#statuses;
  }

  /** Source: Forrst specification, versioning "Default Version Behavior" and "Unknown Version". */
  resolve(name: string, requested: string | undefined): Definition | RpcError {
    const entries = this.#functions.get(canonicalName(name));
    if (entries === undefined) {
      const source = { pointer: "/call/function" };
      return new RpcError("FUNCTION_NOT_FOUND", `Unknown function ${name}`, {
        source,
        details: { function: name },
      });
    }
    const found =
      requested === undefined
        ? entries.findLast((entry) => entry.version.prerelease.length === 0)
        : entries.find((entry) => entry.version.text === requested);
    if (found !== undefined) return this.#refusal(name) ?? found.definition;
    const message =
      requested === undefined
        ? `Function ${name} has no stable version`
        : `Version ${requested} not found for function ${name}`;
    return new RpcError("VERSION_NOT_FOUND", message, {
      source: { pointer: requested === undefined ? "/call" : "/call/version" },
      details: {
        function: name,
        requested_version: requested ?? null,
        available_versions: entries.map((entry) => entry.version.text),
      },
    });
  }

  #refusal(name: string): RpcError | undefined {
    const status = this.#statuses.get(name);
    if (status?.status !== "disabled" && status?.status !== "maintenance") return undefined;
    const { message: reason } = status;
    const details = {
      function: name,
      ...(reason === undefined ? undefined : { reason }),
      ...statusFacts(status),
    };
    return status.status === "disabled"
      ? new RpcError("FUNCTION_DISABLED", "Function temporarily disabled", { details })
      : new RpcError("FUNCTION_MAINTENANCE", "Function under scheduled maintenance", { details });
  }
}

export interface FunctionStatus {
  /** `degraded` is only told; the last two refuse calls as FUNCTION_DISABLED and FUNCTION_MAINTENANCE. */
  readonly status: "healthy" | "degraded" | "disabled" | "maintenance";
  readonly message?: string | undefined;
  /** ISO 8601. */
  readonly until?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Its optional members as the specification writes them. */
export function statusFacts({ until, retryAfterMs }: FunctionStatus): JsonObject {
  return {
    ...(until === undefined ? undefined : { until }),
    ...(retryAfterMs === undefined
      ? undefined
      : { retry_after: { value: retryAfterMs, unit: "millisecond" } }),
  };
}

/** System functions are found with and without the vendor that the specification's pages disagree about. */
function canonicalName(name: string): string {
  return name.startsWith("urn:forrst:fn:")
    ? `urn:cline:forrst:fn:${name.slice("urn:forrst:fn:".length)}`
    : name;
}
