import {
  containsNetwork,
  type IpNetwork,
  isInNetwork,
  networkText,
  parseIpAddress,
  parseIpNetwork,
} from "@clew/wire";
import { Pattern } from "./pattern.ts";
import { RoutingError } from "./routing-error.ts";
import type { Condition, RoutableRequest } from "./types.ts";

/** A condition made ready: its pattern compiled, its header name in lower case. */
export interface CompiledCondition {
  readonly on: Condition["on"];
  readonly name: string;
  readonly equals: string | undefined;
  readonly prefix: string | undefined;
  readonly pattern: Pattern | undefined;
  /** Of a condition on the client: the addresses that satisfy it. */
  readonly network: IpNetwork | undefined;
  /** Equal for two conditions that say the same. */
  readonly key: string;
  /** Equal for two conditions that look at the same part of a request. */
  readonly attribute: string;
}

/** Throws `E_PATTERN_INVALID`, and `E_RULE_INVALID` for what is no address or network. */
export function compileCondition(condition: Condition): CompiledCondition {
  const { on, equals, prefix, pattern } = condition;
  const network = on === "client" ? compileNetwork(condition) : undefined;
  const name =
    on === "header" ? (condition.name ?? "").toLowerCase() : on === "field" ? (condition.name ?? "") : "";
  const attribute = JSON.stringify([on, name]);
  return {
    on,
    name,
    equals,
    prefix,
    pattern: pattern === undefined || network !== undefined ? undefined : new Pattern(pattern),
    network,
    key: JSON.stringify(
      network === undefined
        ? [on, name, equals ?? null, prefix ?? null, pattern ?? null]
        : [on, networkText(network)],
    ),
    attribute,
  };
}

function compileNetwork({ equals, prefix }: Condition): IpNetwork {
  const address = equals === undefined ? undefined : parseIpAddress(equals);
  if (address !== undefined) return { address, bits: address.length * 8 };
  const network = equals === undefined && prefix !== undefined ? parseIpNetwork(prefix) : undefined;
  if (network !== undefined) return network;
  throw new RoutingError(
    "E_RULE_INVALID",
    `${JSON.stringify(equals ?? prefix ?? null)} is neither an IP address (equals) nor a network of such (prefix)`,
    { hint: "Write an address such as 10.1.2.3, or a network such as 10.0.0.0/8." },
  );
}

export function conditionHolds(condition: CompiledCondition, request: RoutableRequest): boolean {
  const value = read(condition, request);
  return value !== undefined && accepts(condition, value);
}

/** False only when no value of the attribute that both look at could satisfy both. Two patterns count as overlapping. */
export function conditionsOverlap(a: CompiledCondition, b: CompiledCondition): boolean {
  if (a.attribute !== b.attribute) return true;
  if (a.network !== undefined && b.network !== undefined) {
    return containsNetwork(a.network, b.network) || containsNetwork(b.network, a.network);
  }
  if (a.equals !== undefined) return accepts(b, a.equals);
  if (b.equals !== undefined) return accepts(a, b.equals);
  if (a.prefix !== undefined && b.prefix !== undefined) {
    return a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  }
  return true;
}

function read(condition: CompiledCondition, request: RoutableRequest): string | undefined {
  switch (condition.on) {
    case "field":
      return request.field(condition.name);
    case "header":
      return request.header(condition.name);
    case "path":
      return request.path;
    case "method":
      return request.method;
    case "client":
      return request.client;
  }
}

function accepts(condition: CompiledCondition, value: string): boolean {
  if (condition.network !== undefined) {
    const address = parseIpAddress(value);
    return address !== undefined && isInNetwork(address, condition.network);
  }
  if (condition.equals !== undefined) return value === condition.equals;
  if (condition.prefix !== undefined) return value.startsWith(condition.prefix);
  return condition.pattern?.matches(value) ?? false;
}
