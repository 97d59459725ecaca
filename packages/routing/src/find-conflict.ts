import { compileRule, isRefinement, rulesOverlap } from "./rule.ts";
import type { Override, Rule, Table } from "./types.ts";

/** What stands in the way of a new override or rule: the words for people are the manager's. */
export interface Conflict {
  readonly kind: "same-route" | "rules-overlap";
  /** The other override, or the one that the other rule selects. */
  readonly override: Override;
  readonly rule?: Rule | undefined;
  readonly owner: string;
  /** Milliseconds since the epoch, by the manager's clock. */
  readonly createdAt: number;
}

/**
 * The oldest override or rule that the candidate cannot live beside, found when it is made and not when a request comes.
 *
 * Overrides conflict when route, service and port are the same. Rules conflict when service, port and priority are the
 * same and some request could match both, unless one refines the other: asks for all that the other asks for and more.
 * Rules with the same conditions conflict, since the younger could never win. Entries with the candidate's own id are passed over.
 *
 * Throws `E_PATTERN_INVALID` for a rule that `checkRule` refuses.
 */
export function findConflict(candidate: Override | Rule, existing: Table): Conflict | undefined {
  return "conditions" in candidate
    ? findRuleConflict(candidate, existing)
    : findOverrideConflict(candidate, existing);
}

function findOverrideConflict(candidate: Override, existing: Table): Conflict | undefined {
  const others = existing.overrides.filter(
    (other) => other.route === candidate.route && isBesides(other, candidate),
  );
  const override = oldest(others);
  if (override === undefined) return undefined;
  return { kind: "same-route", override, owner: override.owner, createdAt: override.createdAt };
}

function findRuleConflict(candidate: Rule, existing: Table): Conflict | undefined {
  const compiled = compileRule(candidate);
  const others = existing.rules.filter((other) => {
    if (other.priority !== candidate.priority || !isBesides(other, candidate)) return false;
    const compiledOther = compileRule(other);
    return (
      rulesOverlap(compiled, compiledOther) &&
      !isRefinement(compiled, compiledOther) &&
      !isRefinement(compiledOther, compiled)
    );
  });
  const rule = oldest(others);
  if (rule === undefined) return undefined;
  return {
    kind: "rules-overlap",
    override: rule.override,
    rule,
    owner: rule.owner,
    createdAt: rule.createdAt,
  };
}

function isBesides<T extends Override | Rule>(other: T, candidate: T): boolean {
  return other.id !== candidate.id && other.service === candidate.service && other.port === candidate.port;
}

function oldest<T extends { readonly createdAt: number; readonly id: string }>(
  entries: readonly T[],
): T | undefined {
  let first: T | undefined;
  for (const entry of entries) {
    if (
      first === undefined ||
      entry.createdAt < first.createdAt ||
      (entry.createdAt === first.createdAt && entry.id < first.id)
    ) {
      first = entry;
    }
  }
  return first;
}
