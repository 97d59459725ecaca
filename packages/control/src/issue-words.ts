import type { BaseIssue } from "valibot";

/** What Valibot calls a type, as people say it. */
const nouns: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  Object: "an object",
  Array: "a list",
};

/**
 * What is wrong with a value, said after its place: "manager.listen: is missing". The value itself is not repeated: it may
 * be a secret, or as long as a request.
 */
export function explainIssue(issue: BaseIssue<unknown>): string {
  if (issue.kind !== "schema") return explainLimit(issue);
  if (issue.input === undefined) return "is missing";
  const { expected } = issue;
  if (expected === null) return issue.message;
  if (expected === "never") return "is too many";
  const choices = expected.replace(/^\((.*)\)$/, "$1").split(" | ");
  if (choices.length > 1) return `is none of ${choices.join(", ")}`;
  return `is not ${nouns[expected] ?? expected}`;
}

function explainLimit({ type, requirement, input, message }: BaseIssue<unknown>): string {
  const things = Array.isArray(input) ? "items" : "characters";
  switch (type) {
    case "min_length":
      return requirement === 1 ? "is empty" : `has fewer than ${requirement} ${things}`;
    case "max_length":
      return `has more than ${requirement} ${things}`;
    case "min_value":
      return `is less than ${requirement}`;
    case "max_value":
      return `is more than ${requirement}`;
    case "gt_value":
      return `is not more than ${requirement}`;
    case "safe_integer":
      return "is not a whole number";
    case "finite":
      return "is not a finite number";
    default:
      return message;
  }
}
