import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isFunctionName } from "./envelope/parse-request.ts";
import { parseVersion } from "./envelope/semver.ts";
import type { FunctionExtras } from "./function-docs.ts";
import { RpcError } from "./rpc-error.ts";
import { type Infer, type Schema, toStandardSchema } from "./schemas/schema.ts";

/** What both ends agree on about one version of a function that answers once. */
export interface FunctionContract<Args, Result> extends FunctionExtras {
  /** `<service>.<action>`. */
  readonly name: string;
  readonly version: string;
  readonly arguments: StandardSchemaV1<unknown, Args>;
  readonly result: StandardSchemaV1<unknown, Result>;
  /**
   * Whether calling twice is the same as calling once; only then does a client repeat a call whose kept
   * connection broke before any answer. Default false.
   */
  readonly idempotent?: boolean | undefined;
}

/** What both ends agree on about one version of a function that answers with events until it is done. */
export interface StreamContract<Args, Event> extends FunctionExtras {
  /** `<service>.<action>`. */
  readonly name: string;
  readonly version: string;
  readonly arguments: StandardSchemaV1<unknown, Args>;
  readonly event: StandardSchemaV1<unknown, Event>;
}

/** A contract as it is written, its schemas being any {@link Schema}. */
export type FunctionSpecification<Args extends Schema, Result extends Schema> = Omit<
  FunctionContract<unknown, unknown>,
  "arguments" | "result"
> & { readonly arguments: Args; readonly result: Result };

/** As {@link FunctionSpecification}. */
export type StreamSpecification<Args extends Schema, Event extends Schema> = Omit<
  StreamContract<unknown, unknown>,
  "arguments" | "event"
> & { readonly arguments: Args; readonly event: Event };

/** Throws E_RPC_CONTRACT when name or version cannot be called, or a JSON Schema cannot be used. */
export function defineFunction<const Args extends Schema, const Result extends Schema>(
  contract: FunctionSpecification<Args, Result>,
): FunctionContract<Infer<Args>, Infer<Result>> {
  checkContract(contract.name, contract.version);
  const { arguments: args, result, ...rest } = contract;
  return { ...rest, arguments: toStandardSchema(args), result: toStandardSchema(result) };
}

/** Throws E_RPC_CONTRACT when name or version cannot be called, or a JSON Schema cannot be used. */
export function defineStream<const Args extends Schema, const Event extends Schema>(
  contract: StreamSpecification<Args, Event>,
): StreamContract<Infer<Args>, Infer<Event>> {
  checkContract(contract.name, contract.version);
  const { arguments: args, event, ...rest } = contract;
  return { ...rest, arguments: toStandardSchema(args), event: toStandardSchema(event) };
}

/** Source: Forrst specification, system-functions "Reserved Namespace" and urn-naming "Reserved Namespaces". */
export function isReservedName(name: string): boolean {
  return /^(?:forrst\.|urn:(?:cline:)?forrst:)/i.test(name);
}

export function checkContract(name: string, version: string): void {
  if (!isFunctionName(name)) {
    throw new RpcError("E_RPC_CONTRACT", `"${name}" is not a function name`, {
      hint: "Use <service>.<action>, such as orders.create, or a URN.",
    });
  }
  if (isReservedName(name)) {
    throw new RpcError("E_RPC_CONTRACT", `the name "${name}" is reserved for the protocol's own functions`, {
      hint: "Use a name that does not begin with forrst. or urn:cline:forrst:",
    });
  }
  if (parseVersion(version) === undefined) {
    throw new RpcError("E_RPC_CONTRACT", `"${version}", the version of ${name}, is not a semantic version`, {
      hint: "Use <major>.<minor>.<patch>, such as 1.0.0.",
    });
  }
}
