import { Pattern } from "./pattern.ts";
import type { Condition, RoutableRequest } from "./types.ts";

/** A condition made ready: its pattern compiled, its header name in lower case. */
export interface CompiledCondition {
  readonly on: Condition["on"];
  readonly name: string;
  readonly equals: string | undefined;
  readonly prefix: string | undefined;
  readonly pattern: Pattern | undefined;
  /** Equal for two conditions that say the same. */
  readonly key: string;
  /** Equal for two conditions that look at the same part of a request. */
  readonly attribute: string;
}

/** Throws `E_PATTERN_INVALID`. */
export function compileCondition(condition: Condition): CompiledCondition {
  const { on, equals, prefix, pattern } = condition;
  const name =
    on === "header" ? (condition.name ?? "").toLowerCase() : on === "field" ? (condition.name ?? "") : "";
  const attribute = JSON.stringify([on, name]);
  return {
    on,
    name,
    equals,
    prefix,
    pattern: pattern === undefined ? undefined : new Pattern(pattern),
    key: JSON.stringify([on, name, equals ?? null, prefix ?? null, pattern ?? null]),
    attribute,
  };
}

export function conditionHolds(condition: CompiledCondition, request: RoutableRequest): boolean {
  const value = read(condition, request);
  return value !== undefined && accepts(condition, value);
}

/** False only when no value of the attribute that both look at could satisfy both. Two patterns count as overlapping. */
export function conditionsOverlap(a: CompiledCondition, b: CompiledCondition): boolean {
  if (a.attribute !== b.attribute) return true;
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
  }
}

function accepts(condition: CompiledCondition, value: string): boolean {
  if (condition.equals !== undefined) return value === condition.equals;
  if (condition.prefix !== undefined) return value.startsWith(condition.prefix);
  return condition.pattern?.matches(value) ?? false;
}
