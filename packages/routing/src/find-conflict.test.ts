import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Conflict, findConflict } from "./find-conflict.ts";
import { compareRules, compileRule, isRefinement, ruleMatches } from "./rule.ts";
import { createOverride, createRule, createTable, overrides, requests, rules } from "./test/arbitraries.ts";
import type { Condition, Rule } from "./types.ts";

function between(candidate: Rule, other: Rule): Conflict | undefined {
  return findConflict(candidate, createTable({ rules: [other] }));
}

test("a conflict between two is found whichever comes second", () => {
  fc.assert(
    fc.property(rules, rules, (a, b) => {
      assert.equal(between(a, b) === undefined, between(b, a) === undefined);
    }),
    { numRuns: 1_000 },
  );
  fc.assert(
    fc.property(overrides, overrides, (a, b) => {
      const forth = findConflict(a, createTable({ overrides: [b] }));
      const back = findConflict(b, createTable({ overrides: [a] }));
      assert.equal(forth === undefined, back === undefined);
    }),
  );
});

test("a request matches two rules of one priority without a conflict only if one refines the other, and then that one wins", () => {
  fc.assert(
    fc.property(rules, rules, requests, (one, two, request) => {
      const a = compileRule({ ...one, priority: 0, port: "http" });
      const b = compileRule({ ...two, priority: 0, port: "http" });
      if (!ruleMatches(a, request) || !ruleMatches(b, request)) return;
      if (between(a.rule, b.rule) !== undefined) return;
      const aRefines = isRefinement(a, b);
      assert.ok(aRefines || isRefinement(b, a));
      assert.equal(compareRules(a, b) < 0, aRefines);
    }),
    { numRuns: 5_000 },
  );
});

test("a refined rule matches all that its refinement matches", () => {
  fc.assert(
    fc.property(rules, rules, requests, (one, two, request) => {
      const [inner, outer] = [compileRule(one), compileRule(two)];
      if (isRefinement(inner, outer) && ruleMatches(inner, request)) assert.ok(ruleMatches(outer, request));
    }),
    { numRuns: 2_000 },
  );
});

test("the oldest of several conflicts is named, in whatever order they are listed", () => {
  const [old, young] = [
    createRule({ id: "b", createdAt: 1, owner: "bob" }),
    createRule({ id: "a", createdAt: 2 }),
  ];
  const candidate = createRule({ id: "c", createdAt: 3 });
  for (const listed of [
    [old, young],
    [young, old],
  ]) {
    const conflict = findConflict(candidate, createTable({ rules: listed }));
    assert.deepEqual(
      [conflict?.kind, conflict?.rule, conflict?.owner, conflict?.createdAt],
      ["rules-overlap", old, "bob", 1],
    );
  }
});

test("one route has one override for a service's port; other routes, services, ports and its own update are free", () => {
  const existing = createTable({ overrides: [createOverride()] });
  assert.equal(findConflict(createOverride({ id: "o2", owner: "bob" }), existing)?.owner, "ann");
  for (const change of [{ id: "o1" }, { route: "green" }, { service: "pricing" }, { port: "grpc" }]) {
    assert.equal(
      findConflict(createOverride({ id: "o2", ...change }), existing),
      undefined,
      JSON.stringify(change),
    );
  }
});

const client = (how: Partial<Condition>): Condition => ({ on: "client", ...how });
const x = (how: Partial<Condition>): Condition => ({ on: "field", name: "x", ...how });
const path = (how: Partial<Condition>): Condition => ({ on: "path", ...how });

const cases: ReadonlyArray<readonly [title: string, a: Condition[], b: Condition[], conflict: boolean]> = [
  ["different values of one exact field", [x({ equals: "a" })], [x({ equals: "b" })], false],
  ["the same condition", [x({ equals: "a" })], [x({ equals: "a" })], true],
  ["two different fields", [x({ equals: "a" })], [{ on: "field", name: "y", equals: "a" }], true],
  [
    "a field and a header of one name",
    [x({ equals: "a" })],
    [{ on: "header", name: "x", equals: "b" }],
    true,
  ],
  [
    "one asks for all of the other and more",
    [x({ equals: "a" })],
    [x({ equals: "a" }), path({ prefix: "/a" })],
    false,
  ],
  ["two patterns on one attribute", [x({ pattern: "a" })], [x({ pattern: "b" })], true],
  ["a pattern and a value that it refuses", [x({ pattern: "a+" })], [x({ equals: "b" })], false],
  ["a pattern and a value that it accepts", [x({ pattern: "a+" })], [x({ equals: "aa" })], true],
  ["prefixes that part ways", [path({ prefix: "/a" })], [path({ prefix: "/b" })], false],
  ["a longer path prefix within a shorter", [path({ prefix: "/a/b" })], [path({ prefix: "/a" })], false],
  ["an exact path within a prefix", [path({ equals: "/a/b" })], [path({ prefix: "/a" })], false],
  ["a longer prefix of a field within a shorter", [x({ prefix: "ab" })], [x({ prefix: "a" })], true],
  [
    "disjoint in one dimension, alike in another",
    [x({ equals: "a" }), path({ prefix: "/a" })],
    [x({ equals: "b" }), path({ prefix: "/a" })],
    false,
  ],
  [
    "narrower in one dimension each",
    [x({ equals: "a" }), path({ prefix: "/a" })],
    [path({ prefix: "/a/b" })],
    true,
  ],
  ["two networks apart", [client({ prefix: "10.0.0.0/8" })], [client({ prefix: "172.16.0.0/12" })], false],
  [
    "a network within another",
    [client({ prefix: "10.1.0.0/16" })],
    [client({ prefix: "10.0.0.0/8" })],
    false,
  ],
  [
    "an address within a network",
    [client({ equals: "10.1.2.3" })],
    [client({ prefix: "10.0.0.0/8" })],
    false,
  ],
  [
    "one network, written in two ways",
    [client({ prefix: "10.0.0.0/8" })],
    [client({ prefix: "10.1.2.3/8" })],
    true,
  ],
  [
    "an address, and the network of it alone",
    [client({ equals: "::1" })],
    [client({ prefix: "::1/128" })],
    true,
  ],
  ["IPv4 and IPv6", [client({ prefix: "0.0.0.0/0" })], [client({ prefix: "::/0" })], false],
  ["every client, and those of a network", [], [client({ prefix: "10.0.0.0/8" })], false],
  ["every client, twice", [], [], true],
  ["a client and a path", [client({ prefix: "10.0.0.0/8" })], [path({ prefix: "/a" })], true],
  ["different methods", [{ on: "method", equals: "GET" }], [{ on: "method", equals: "POST" }], false],
];

for (const [title, a, b, expected] of cases) {
  test(`${expected ? "conflict" : "no conflict"}: ${title}`, () => {
    const one = createRule({ id: "r1", conditions: a });
    const two = createRule({ id: "r2", conditions: b });
    assert.equal(between(two, one) !== undefined, expected);
    assert.equal(between({ ...two, priority: 1 }, one), undefined, "another priority settles it");
    assert.equal(between({ ...two, port: "grpc" }, one), undefined, "another port is another place");
  });
}
