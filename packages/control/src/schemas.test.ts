import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { conditionSchema, decisionReportSchema, overrideRequestSchema, tableEventSchema } from "./schemas.ts";
import { overrideOf, ruleOf, tableOf } from "./test/fixtures.ts";

const places = (schema: v.GenericSchema, value: unknown): (string | null)[] =>
  (v.safeParse(schema, value).issues ?? []).map((issue) => v.getDotPath(issue));

test("members of a newer release are dropped, at every depth", () => {
  const rule = ruleOf("r", overrideOf("o"));
  const table = tableOf({ overrides: [overrideOf("a")], rules: [rule] });
  const newer = {
    kind: "snapshot",
    table: { ...table, overrides: [{ ...overrideOf("a"), colour: "red" }], shape: 1 },
    leases: {},
    more: true,
  };
  assert.deepEqual(v.parse(tableEventSchema, newer), { kind: "snapshot", table, leases: {} });
});

test("a wrong shape is refused at its place", () => {
  const request = { route: "anna", service: "orders", target: { kind: "tunnel", port: 4005 } };
  assert.deepEqual(places(overrideRequestSchema, request), []);
  assert.deepEqual(places(overrideRequestSchema, { ...request, route: "" }), ["route"]);
  assert.deepEqual(places(overrideRequestSchema, { ...request, target: { kind: "tunnel", port: 0 } }), [
    "target.port",
  ]);
  assert.deepEqual(places(overrideRequestSchema, { ...request, target: { kind: "disk" } }), ["target.kind"]);
  const script = { kind: "address", url: "javascript:alert(1)" };
  assert.deepEqual(places(overrideRequestSchema, { ...request, target: script }), ["target.url"]);
});

test("a condition compares in exactly one way, and has a name exactly where that means something", () => {
  const isValid = (value: object): boolean => v.is(conditionSchema, value);
  assert.equal(isValid({ on: "header", name: "x-beta", equals: "1" }), true);
  assert.equal(isValid({ on: "path", prefix: "/api" }), true);
  assert.equal(isValid({ on: "header", equals: "1" }), false);
  assert.equal(isValid({ on: "path", name: "x", prefix: "/api" }), false);
  assert.equal(isValid({ on: "path", prefix: "/api", equals: "/" }), false);
  assert.equal(isValid({ on: "path" }), false);
});

test("a report's reason is one of the closed set", () => {
  const report = {
    service: "orders",
    agent: "a",
    port: "http",
    method: "GET",
    path: "/",
    atUs: 1,
    destination: "live",
    reason: "no-match",
    decideUs: 1,
    durationMs: 2,
  };
  assert.deepEqual(places(decisionReportSchema, report), []);
  assert.deepEqual(places(decisionReportSchema, { ...report, reason: "mood" }), ["reason"]);
});
