import { type CompiledCondition, conditionsOverlap } from "./condition.ts";
import { RoutingError } from "./routing-error.ts";
import { compileRule } from "./rule.ts";
import type { Condition, Rule } from "./types.ts";

/** Conditions of one rule. More make no sense to a reader and cost every request. */
export const maxConditions = 16;
/** Characters of a name or a value to compare with. Longer texts than a header's limit could not match. */
export const maxConditionLength = 1_024;

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * What is wrong with a rule that somebody wants to make for a port where requests pass, or whole connections (`tcp`); or
 * undefined. Codes: `E_RULE_INVALID`, `E_PATTERN_INVALID`. `decide` relies on rules that passed.
 */
export function checkRule(
  rule: Pick<Rule, "conditions" | "priority">,
  traffic: "http" | "tcp" = "http",
): RoutingError | undefined {
  const { conditions, priority } = rule;
  if (!Number.isSafeInteger(priority)) return invalid(`priority ${priority} is not a whole number`);
  if (traffic === "tcp") {
    const index = conditions.findIndex(({ on }) => on !== "client");
    if (index >= 0) {
      return invalid(
        `condition ${index + 1} is on the ${conditions[index]?.on}, which a port of raw TCP does not know`,
        "Ask for the client's address, or for nothing at all, which takes every connection.",
      );
    }
  } else if (conditions.length === 0) {
    return invalid(
      "the rule has no condition and would take every request",
      "To mean all, ask for the path prefix /.",
    );
  }
  if (conditions.length > maxConditions) {
    return invalid(`the rule has ${conditions.length} conditions, more than ${maxConditions}`);
  }
  for (const [index, condition] of conditions.entries()) {
    const fault = conditionFault(condition);
    if (fault !== undefined) return invalid(`condition ${index + 1} ${fault}`);
  }
  return checkTogether(conditions);
}

function conditionFault(condition: Condition): string | undefined {
  const { on, name, equals, prefix, pattern } = condition;
  const texts = [equals, prefix, pattern].filter((text) => text !== undefined);
  const [text] = texts;
  if (text === undefined || texts.length > 1) return "must have exactly one of equals, prefix and pattern";
  if (on === "path" || on === "method" || on === "client") {
    if (name !== undefined) return `is on the ${on}, which has no name`;
  } else if (name === undefined || name === "") return `is on a ${on} but names none`;
  if (text.length > maxConditionLength || (name?.length ?? 0) > maxConditionLength) {
    return `is longer than ${maxConditionLength} characters`;
  }
  if (on === "client" && pattern !== undefined) return "compares an address with a pattern";
  if (on === "header" && !token.test(name ?? ""))
    return `names ${JSON.stringify(name)}, which is no header name`;
  if (on === "field" && name === "clew-route")
    return "is on the routing key, but rules are for requests without one";
  if (on === "method" && equals !== undefined && !token.test(equals))
    return "compares with what is no method";
  if (on === "path" && (equals ?? prefix ?? "/")[0] !== "/")
    return "compares the path with a text that does not begin with /";
  if (prefix === "") return "has an empty prefix, which always holds";
  return undefined;
}

function checkTogether(conditions: readonly Condition[]): RoutingError | undefined {
  let compiled: readonly CompiledCondition[];
  try {
    compiled = compileRule({ conditions } as Rule).conditions;
  } catch (error) {
    if (error instanceof RoutingError) return error;
    throw error;
  }
  if (compiled.length < conditions.length) return invalid("the rule has the same condition twice");
  for (const [index, one] of compiled.entries()) {
    const other = compiled.slice(index + 1).find((later) => !conditionsOverlap(one, later));
    if (other !== undefined) return invalid(`no request could match both ${one.key} and ${other.key}`);
  }
  return undefined;
}

function invalid(message: string, hint?: string): RoutingError {
  return new RoutingError("E_RULE_INVALID", message, { hint });
}
