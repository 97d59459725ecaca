// @ts-check

/** @typedef {{ name: string, outcome: "ok" | "FAIL" | "ERROR" | "skipped" }} Outcome */

/**
 * What Python's unittest says of each test, in its verbose form. A test's own output may stand between its name and
 * its outcome, so the two are matched by order, not by line.
 * @param {string} text
 * @returns {Outcome[]}
 */
export function parseUnittest(text) {
  /** @type {Outcome[]} */
  const outcomes = [];
  let name;
  const pattern = /^(test_\w+) \([\w.]+\)|(?:\.\.\. |^)(ok|FAIL|ERROR|skipped)(?: '.*')?$/gm;
  for (const [, started, outcome] of text.matchAll(pattern)) {
    if (started !== undefined) name = started;
    else if (name !== undefined && outcome !== undefined) {
      outcomes.push({ name, outcome: /** @type {Outcome["outcome"]} */ (outcome) });
      name = undefined;
    }
  }
  return outcomes;
}
