import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionReport } from "@clew/control";
import type { Override } from "@clew/routing";
import { describeDecisions } from "./explain.ts";

const report = (changes: Partial<DecisionReport>): DecisionReport => ({
  service: "pricing",
  agent: "a1",
  port: "http",
  method: "GET",
  path: "/prices/yarn",
  atUs: 1,
  destination: "live",
  reason: "no-match",
  decideUs: 7,
  durationMs: 1.25,
  ...changes,
});
const override: Override = {
  id: "o1",
  route: "ann",
  service: "pricing",
  port: "http",
  target: { kind: "tunnel", session: "s1", port: 4005, relay: "127.0.0.1:7400" },
  owner: "ann",
  session: "s1",
  createdAt: 0,
  onFailure: "live",
};
const sessions = [
  { id: "s1", owner: "ann", host: "anns-laptop", openedAt: 0, state: "connected", leaseRemainingMs: 1 },
] as const;

const explain = (...decisions: DecisionReport[]): string =>
  describeDecisions("http://shop/", 200, decisions, { overrides: [override], sessions });

test("a decision reads as who asked for what, where it went, why, and how long it took", () => {
  const taken = report({
    destination: "override",
    reason: "route",
    route: "ann",
    owner: "ann",
    override: "o1",
    caller: "orders",
  });
  assert.match(
    explain(taken),
    /pricing +from orders +GET \/prices\/yarn +anns-laptop, port 4005 +route ann of ann +1\.3 ms \(decided in 7 µs\)/,
  );
});

test("a fallback says that it was one, and what could not be reached", () => {
  const failed = report({
    destination: "override",
    reason: "route",
    route: "ann",
    owner: "ann",
    override: "o1",
    fallback: "E_TUNNEL_PORT_CLOSED",
  });
  assert.match(
    explain(failed),
    /live, as a fallback +route ann of ann; it could not be reached \(E_TUNNEL_PORT_CLOSED\)/,
  );
});

test("an override that has ended meanwhile, and a request that nobody met, are said as such", () => {
  assert.match(
    explain(report({ destination: "override", reason: "route", override: "gone" })),
    /an override that has ended/,
  );
  assert.match(explain(), /No agent reported this request/);
});

for (const [reason, text] of [
  ["no-match", /no key, no rule/],
  ["route-elsewhere", /route \? has no override here/],
  ["key-expired", /has expired/],
  ["key-invalid", /is not valid/],
  ["health-check", /health check/],
  ["rule", /rule \? of \?/],
] as const) {
  test(`the reason ${reason} has words of its own`, () => assert.match(explain(report({ reason })), text));
}
