import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkRule } from "./check-rule.ts";
import { compileRule } from "./rule.ts";
import { createRule, rules } from "./test/arbitraries.ts";
import type { Condition } from "./types.ts";

const refused: ReadonlyArray<
  readonly [title: string, conditions: Condition[], code: string, message: RegExp]
> = [
  ["no condition", [], "E_RULE_INVALID", /every request/],
  ["nothing to compare with", [{ on: "path" }], "E_RULE_INVALID", /exactly one/],
  ["two comparisons in one", [{ on: "path", equals: "/a", prefix: "/" }], "E_RULE_INVALID", /exactly one/],
  ["a field without a name", [{ on: "field", equals: "a" }], "E_RULE_INVALID", /names none/],
  ["a path with a name", [{ on: "path", name: "x", equals: "/a" }], "E_RULE_INVALID", /no name/],
  ["no header name", [{ on: "header", name: "a b", equals: "a" }], "E_RULE_INVALID", /no header name/],
  ["the routing key", [{ on: "field", name: "clew-route", equals: "a" }], "E_RULE_INVALID", /routing key/],
  ["a client's name", [{ on: "client", equals: "example.org" }], "E_RULE_INVALID", /neither an IP address/],
  ["half a network", [{ on: "client", prefix: "10.0.0.0/33" }], "E_RULE_INVALID", /neither an IP address/],
  ["a pattern of addresses", [{ on: "client", pattern: "10.*" }], "E_RULE_INVALID", /pattern/],
  ["a relative path", [{ on: "path", prefix: "a" }], "E_RULE_INVALID", /begin with/],
  ["a pattern that cannot be read", [{ on: "path", pattern: "(a" }], "E_PATTERN_INVALID", /position 2/],
  [
    "conditions that exclude each other",
    [
      { on: "method", equals: "GET" },
      { on: "method", equals: "POST" },
    ],
    "E_RULE_INVALID",
    /no request/,
  ],
  [
    "one condition twice",
    [
      { on: "header", name: "X", equals: "a" },
      { on: "header", name: "x", equals: "a" },
    ],
    "E_RULE_INVALID",
    /twice/,
  ],
];

for (const [title, conditions, code, message] of refused) {
  test(`refused: ${title}`, () => {
    const error = checkRule(createRule({ conditions }));
    assert.equal(error?.code, code);
    assert.match(error?.message ?? "", message);
  });
}

test("on a port of raw TCP a rule asks for the client or for nothing", () => {
  for (const conditions of [[], [{ on: "client", prefix: "10.0.0.0/8" }]] as const) {
    assert.equal(checkRule(createRule({ conditions }), "tcp"), undefined);
  }
  const error = checkRule(createRule({ conditions: [{ on: "path", prefix: "/" }] }), "tcp");
  assert.equal(error?.code, "E_RULE_INVALID");
  assert.match(error?.message ?? "", /path.*raw TCP/);
});

test("a priority that is no whole number would break the order and is refused", () => {
  for (const priority of [Number.NaN, 0.5, Number.POSITIVE_INFINITY]) {
    assert.equal(checkRule(createRule({ priority }))?.code, "E_RULE_INVALID");
  }
});

test("a rule that passes can be compiled", () => {
  fc.assert(
    fc.property(rules, (rule) => {
      if (checkRule(rule) === undefined) compileRule(rule);
    }),
  );
});
