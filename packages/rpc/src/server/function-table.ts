import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkContract } from "../contract.ts";
import { compareVersions, parseVersion, type Version } from "../envelope/semver.ts";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "./call.ts";

interface DefinitionBase {
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

  names(): string[] {
    return [...this.#functions.keys()];
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
    if (found !== undefined) return found.definition;
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
}

/** System functions are found with and without the vendor that the specification's pages disagree about. */
function canonicalName(name: string): string {
  return name.startsWith("urn:forrst:fn:")
    ? `urn:cline:forrst:fn:${name.slice("urn:forrst:fn:".length)}`
    : name;
}
