import { containsNetwork } from "@clew/wire";
import { type CompiledCondition, compileCondition, conditionHolds, conditionsOverlap } from "./condition.ts";
import type { RoutableRequest, Rule } from "./types.ts";

/** A rule made ready for matching and ordering. */
export interface CompiledRule {
  readonly rule: Rule;
  /** Without repetitions. */
  readonly conditions: readonly CompiledCondition[];
  /** Length of the longest path prefix; an exact path counts as longer than any prefix; 0 without either. */
  readonly pathLength: number;
  /** Bits of the smallest network of clients that is asked for; 0 without one. */
  readonly clientBits: number;
}

/** Throws `E_PATTERN_INVALID`, `E_RULE_INVALID`. */
export function compileRule(rule: Rule): CompiledRule {
  const distinct = new Map<string, CompiledCondition>();
  let pathLength = 0;
  let clientBits = 0;
  for (const condition of rule.conditions) {
    const compiled = compileCondition(condition);
    distinct.set(compiled.key, compiled);
    clientBits = Math.max(clientBits, compiled.network?.bits ?? 0);
    if (compiled.on !== "path") continue;
    if (compiled.equals !== undefined) pathLength = Number.POSITIVE_INFINITY;
    else pathLength = Math.max(pathLength, compiled.prefix?.length ?? 0);
  }
  return { rule, conditions: [...distinct.values()], pathLength, clientBits };
}

export function ruleMatches(compiled: CompiledRule, request: RoutableRequest): boolean {
  for (const condition of compiled.conditions) {
    if (!conditionHolds(condition, request)) return false;
  }
  return true;
}

/**
 * Which of two matching rules wins: negative when `a` does. Priority, number of conditions, path, client, age, id:
 * a strict total order over rules with different ids (I7).
 */
export function compareRules(a: CompiledRule, b: CompiledRule): number {
  return (
    b.rule.priority - a.rule.priority ||
    compareSpecificity(a, b) ||
    a.rule.createdAt - b.rule.createdAt ||
    (a.rule.id < b.rule.id ? -1 : a.rule.id > b.rule.id ? 1 : 0)
  );
}

/** Negative when `a` asks for more, so that the order of the rules by itself prefers it. */
function compareSpecificity(a: CompiledRule, b: CompiledRule): number {
  const byCount = b.conditions.length - a.conditions.length;
  if (byCount !== 0) return byCount;
  // Two exact paths: infinity minus itself is no number.
  if (a.pathLength === b.pathLength) return b.clientBits - a.clientBits;
  return b.pathLength > a.pathLength ? 1 : -1;
}

/** False when no request could match both. True may be said of rules that do not overlap, where patterns are involved. */
export function rulesOverlap(a: CompiledRule, b: CompiledRule): boolean {
  const all = [...a.conditions, ...b.conditions];
  return all.every((one, index) => all.slice(index + 1).every((other) => conditionsOverlap(one, other)));
}

/**
 * Whether every request that matches `inner` matches `outer`, and the order prefers `inner` for it without looking at
 * age. Of two such rules each keeps a meaning of its own.
 */
export function isRefinement(inner: CompiledRule, outer: CompiledRule): boolean {
  return (
    compareSpecificity(inner, outer) < 0 &&
    outer.conditions.every((wide) => inner.conditions.some((narrow) => implies(narrow, wide)))
  );
}

function implies(narrow: CompiledCondition, wide: CompiledCondition): boolean {
  if (narrow.key === wide.key) return true;
  if (narrow.network !== undefined && wide.network !== undefined) {
    return containsNetwork(wide.network, narrow.network);
  }
  if (narrow.attribute !== wide.attribute || wide.prefix === undefined) return false;
  return (narrow.equals ?? narrow.prefix)?.startsWith(wide.prefix) ?? false;
}
