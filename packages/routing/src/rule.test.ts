import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareRules, compileRule, ruleMatches } from "./rule.ts";
import { createRequest, createRule, rules } from "./test/arbitraries.ts";
import type { Condition, Rule } from "./types.ts";

const compiledRules = rules.map(compileRule);

test("the order of rules is a strict total order", () => {
  fc.assert(
    fc.property(compiledRules, compiledRules, compiledRules, (a, b, c) => {
      assert.equal(compareRules(a, a), 0);
      assert.equal(Math.sign(compareRules(a, b)) + Math.sign(compareRules(b, a)), 0);
      if (a.rule.id !== b.rule.id) assert.notEqual(compareRules(a, b), 0);
      if (compareRules(a, b) < 0 && compareRules(b, c) < 0) assert.ok(compareRules(a, c) < 0);
    }),
    { numRuns: 1_000 },
  );
});

function winner(...all: readonly Rule[]): string | undefined {
  return all.map(compileRule).sort(compareRules)[0]?.rule.id;
}

const field: Condition = { on: "field", name: "x", equals: "a" };
const narrowPath: Condition = { on: "path", prefix: "/a/b" };
const widePath: Condition = { on: "path", prefix: "/a" };

test("priority, then more conditions, then longer path, then age, then id", () => {
  const plain = createRule({ id: "m", conditions: [widePath], createdAt: 5 });
  assert.equal(
    winner(plain, createRule({ id: "z", conditions: [widePath], createdAt: 9, priority: 1 })),
    "z",
  );
  assert.equal(winner(plain, createRule({ id: "z", conditions: [widePath, field], createdAt: 9 })), "z");
  assert.equal(winner(plain, createRule({ id: "z", conditions: [narrowPath], createdAt: 9 })), "z");
  const exact = createRule({ id: "z", conditions: [{ on: "path", equals: "/a" }], createdAt: 9 });
  assert.equal(winner(plain, createRule({ id: "y", conditions: [narrowPath] }), exact), "z");
  assert.equal(winner(plain, createRule({ id: "z", conditions: [widePath], createdAt: 4 })), "z");
  assert.equal(winner(plain, createRule({ id: "l", conditions: [widePath], createdAt: 5 })), "l");
});

test("a condition said twice does not count twice", () => {
  const twice = createRule({ id: "z", conditions: [field, { ...field }], createdAt: 9 });
  assert.equal(winner(twice, createRule({ id: "m", createdAt: 5 })), "m");
});

test("all conditions must hold, and an absent field or header holds none", () => {
  const both = compileRule(createRule({ conditions: [field, { on: "header", name: "Y", prefix: "b" }] }));
  assert.equal(ruleMatches(both, createRequest({ texts: { "field x": "a", "header y": "bc" } })), true);
  assert.equal(ruleMatches(both, createRequest({ texts: { "field x": "a" } })), false);
  const anything = compileRule(createRule({ conditions: [{ on: "field", name: "x", pattern: ".*" }] }));
  assert.equal(ruleMatches(anything, createRequest({ texts: { "field x": "" } })), true);
  assert.equal(ruleMatches(anything, createRequest({})), false);
});

test("a field is compared as a whole member: alice is not alice2, and a pattern is anchored", () => {
  for (const condition of [
    { on: "field", name: "x", equals: "alice" },
    { on: "field", name: "x", pattern: "alice" },
  ] as const) {
    const rule = compileRule(createRule({ conditions: [condition] }));
    assert.equal(ruleMatches(rule, createRequest({ texts: { "field x": "alice" } })), true);
    assert.equal(ruleMatches(rule, createRequest({ texts: { "field x": "alice2" } })), false);
  }
});
