import type { Condition, Rule } from "@clew/routing";

/** What a rule asks for, as a person reads it: `connections from 10.0.0.0/8`, `path /a…, header x-beta = 1`. */
export function describeConditions({ conditions }: Pick<Rule, "conditions">): string {
  if (conditions.length === 0) return "every connection";
  if (conditions.every(({ on }) => on === "client")) {
    return `connections from ${conditions.map(({ equals, prefix }) => equals ?? prefix).join(" in ")}`;
  }
  return conditions.map(describeCondition).join(", ");
}

function describeCondition({ on, name, equals, prefix, pattern }: Condition): string {
  const subject = name === undefined ? on : `${on} ${name}`;
  if (equals !== undefined) return `${subject} = ${equals}`;
  return prefix === undefined ? `${subject} ~ ${pattern}` : `${subject} = ${prefix}…`;
}
