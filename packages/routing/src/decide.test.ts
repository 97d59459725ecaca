import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide } from "./decide.ts";
import { indexTable } from "./indexed-table.ts";
import {
  createOverride,
  createRequest,
  createRule,
  createTable,
  requests,
  tables,
} from "./test/arbitraries.ts";
import { everyRoute, type RoutableRequest } from "./types.ts";

test("a decision depends on the table's contents and the request, not on the order of the lists (I7)", () => {
  const shuffledTables = tables.chain((table) =>
    fc.tuple(
      fc.constant(table),
      fc.record({
        revision: fc.constant(2),
        service: fc.constant(table.service),
        overrides: shuffled(table.overrides),
        rules: shuffled(table.rules),
        wiretaps: shuffled(table.wiretaps),
      }),
    ),
  );
  fc.assert(
    fc.property(shuffledTables, requests, ([table, again], request) => {
      const first = decide(request, indexTable(table, "http"));
      assert.deepEqual(decide(request, indexTable(table, "http")), first);
      assert.deepEqual(decide(request, indexTable(again, "http")), first);
    }),
  );
});

test("an override is selected for its own service and port only, by its route or by a rule", () => {
  fc.assert(
    fc.property(tables, requests, (table, request) => {
      const decision = decide(request, indexTable(table, "http"));
      if (decision.destination === "live") {
        assert.equal(decision.override, undefined);
        return;
      }
      const source = decision.rule ?? decision.override;
      assert.deepEqual([source?.service, source?.port], ["orders", "http"]);
      assert.equal(decision.reason, decision.rule === undefined ? "route" : "rule");
      if (decision.rule === undefined) assert.equal(decision.override?.route, request.key.route);
    }),
  );
});

function shuffled<T>(entries: readonly T[]): fc.Arbitrary<T[]> {
  return fc.shuffledSubarray([...entries], { minLength: entries.length });
}

const override = createOverride();
const rule = createRule({ override: createOverride({ id: "o2", route: "by-rule" }) });
const table = indexTable(createTable({ overrides: [override], rules: [rule] }), "http");
const matching = { "field x": "a" };

function reasonOf(request: RoutableRequest): string {
  return decide(request, table).reason;
}

test("each reason has its case", () => {
  assert.equal(decide(createRequest({ key: { status: "open", route: "red" } }), table).override, override);
  assert.equal(decide(createRequest({ key: { status: "valid", route: "red" } }), table).override, override);
  assert.equal(decide(createRequest({ texts: matching }), table).rule, rule);
  assert.equal(reasonOf(createRequest({})), "no-match");
  assert.equal(reasonOf(createRequest({ key: { status: "valid", route: "other" } })), "route-elsewhere");
  assert.equal(reasonOf(createRequest({ key: { status: "expired", route: "red" } })), "key-expired");
  assert.equal(reasonOf(createRequest({ key: { status: "invalid" } })), "key-invalid");
});

test("rules are for requests without a key: a bad key means live, even where a rule would match", () => {
  for (const status of ["expired", "invalid"] as const) {
    assert.equal(decide(createRequest({ key: { status }, texts: matching }), table).destination, "live");
  }
  const elsewhere = createRequest({ key: { status: "valid", route: "other" }, texts: matching });
  assert.equal(decide(elsewhere, table).reason, "route-elsewhere");
});

test("a health check that would be taken from the live service stays live", () => {
  const key = { status: "valid", route: "red" } as const;
  assert.equal(reasonOf(createRequest({ key, path: "/healthz" })), "health-check");
  assert.equal(
    reasonOf(createRequest({ key, texts: { "header user-agent": "kube-probe/1.31" } })),
    "health-check",
  );
  assert.equal(reasonOf(createRequest({ path: "/healthz" })), "no-match");
  const options = { healthPaths: ["/ping"] };
  assert.equal(decide(createRequest({ key, path: "/ping" }), table, options).reason, "health-check");
  assert.equal(decide(createRequest({ key, path: "/healthz" }), table, options).reason, "route");
});

test("wiretaps of the request's route are laid over the decision, live or not", () => {
  const tap = createOverride({ id: "t1" });
  const elsewhere = createOverride({ id: "t2", route: "other" });
  const tapped = indexTable(createTable({ overrides: [override], wiretaps: [elsewhere, tap] }), "http");
  const selected = decide(createRequest({ key: { status: "valid", route: "red" } }), tapped);
  assert.deepEqual([selected.destination, selected.wiretaps], ["override", [tap]]);
  const live = decide(createRequest({ key: { status: "valid", route: "other" } }), tapped);
  assert.deepEqual([live.destination, live.reason, live.wiretaps], ["live", "route-elsewhere", [elsewhere]]);
  assert.deepEqual(decide(createRequest({}), tapped).wiretaps, []);
});

test("a wiretap of every request is laid over each decision but a health check's", () => {
  const tap = createOverride({ id: "t1" });
  const all = createOverride({ id: "t0", route: everyRoute });
  const tapped = indexTable(
    createTable({ overrides: [override], rules: [rule], wiretaps: [all, tap] }),
    "http",
  );
  const tapsOf = (request: RoutableRequest): readonly unknown[] =>
    decide(request, tapped).wiretaps.map(({ id }) => id);
  assert.deepEqual(tapsOf(createRequest({ key: { status: "valid", route: "red" } })), ["t1", "t0"]);
  for (const status of ["valid", "expired", "invalid"] as const) {
    assert.deepEqual(tapsOf(createRequest({ key: { status, route: "other" } })), ["t0"], status);
  }
  assert.deepEqual(tapsOf(createRequest({ texts: matching })), ["t0"]);
  assert.deepEqual(tapsOf(createRequest({})), ["t0"]);
  assert.deepEqual(tapsOf(createRequest({ path: "/healthz" })), []);
  assert.equal(decide(createRequest({}), tapped), decide(createRequest({}), tapped), "made beforehand");
  assert.equal(
    decide(createRequest({ key: { status: "valid", route: everyRoute } }), tapped).destination,
    "live",
  );
});

test("a rule whose pattern this version cannot read is named and matches nothing; the others work", () => {
  const newer = createRule({ id: "r2", priority: 9, conditions: [{ on: "path", pattern: "(?=x)" }] });
  const mixed = indexTable(createTable({ rules: [newer, rule] }), "http");
  assert.deepEqual(
    mixed.unusable.map((entry) => [entry.rule.id, entry.error.code]),
    [["r2", "E_PATTERN_INVALID"]],
  );
  assert.equal(decide(createRequest({ texts: matching }), mixed).rule, rule);
});

test("a request that nothing selects asks for no header and no field, however many overrides there are", () => {
  const overrides = Array.from({ length: 10_000 }, (_, at) =>
    createOverride({ id: `o${at}`, route: `r${at}` }),
  );
  const large = indexTable(createTable({ overrides }), "http");
  const asked = (): never => assert.fail("was asked");
  const request: RoutableRequest = {
    method: "GET",
    path: "/",
    header: asked,
    field: asked,
    key: { status: "none" },
  };
  assert.equal(decide(request, large).reason, "no-match");
  assert.equal(decide(request, large), decide(request, indexTable(createTable(), "http")));
});
