import assert from "node:assert/strict";
import { test } from "node:test";
import type { Table } from "@clew/routing";
import { TableView } from "./table-view.ts";
import { overrideOf, ruleOf, TestClock, tableOf } from "./test/fixtures.ts";

const anna = overrideOf("anna", { session: "s1" });
const ben = overrideOf("ben", { session: "s2" });
const fixed = overrideOf("fixed");
const full = tableOf({ overrides: [anna, ben, fixed], rules: [ruleOf("rule", { ...anna, id: "in-rule" })] });

function observe(): { view: TableView; clock: TestClock; tables: Table[]; ids: () => string[] | undefined } {
  const clock = new TestClock();
  const tables: Table[] = [];
  const view = new TableView(clock, (table) => tables.push(table));
  const ids = (): string[] | undefined => {
    const last = tables.at(-1);
    return last && [...last.overrides, ...last.rules].map(({ id }) => id);
  };
  return { view, clock, tables, ids };
}

test("an override ends with its session's lease by the own clock; others and those without a session stay", () => {
  const { view, clock, tables, ids } = observe();
  view.apply({ kind: "snapshot", table: full, leases: { s1: 5_000, s2: 9_000 } });
  clock.advance(4_999);
  assert.deepEqual(ids(), ["anna", "ben", "fixed", "rule"]);
  clock.advance(1);
  assert.deepEqual(ids(), ["ben", "fixed"]);
  clock.advance(3_999);
  assert.equal(tables.length, 2);
  clock.advance(1);
  assert.deepEqual(ids(), ["fixed"]);
});

test("a lease that is renewed goes on, and one that had ended brings its overrides back", () => {
  const { view, clock, tables, ids } = observe();
  view.apply({ kind: "snapshot", table: full, leases: { s1: 5_000, s2: 60_000 } });
  clock.advance(4_000);
  view.apply({ kind: "leases", leases: { s1: 5_000 } });
  clock.advance(4_000);
  assert.equal(tables.length, 1);
  clock.advance(1_000);
  assert.deepEqual(ids(), ["ben", "fixed"]);
  view.apply({ kind: "leases", leases: { s1: 5_000 } });
  assert.deepEqual(ids(), ["anna", "ben", "fixed", "rule"]);
});

test("a lease told as over ends at once", () => {
  const { view, ids } = observe();
  view.apply({ kind: "snapshot", table: full, leases: { s1: 5_000, s2: 5_000 } });
  view.apply({ kind: "leases", leases: { s1: 0, s2: 5_000 } });
  assert.deepEqual(ids(), ["ben", "fixed"]);
});

test("a session whose lease nobody names does not live for ever", () => {
  const { view, clock, ids } = observe();
  view.apply({ kind: "snapshot", table: full, leases: {} });
  clock.advance(15_000);
  assert.deepEqual(ids(), ["fixed"]);
});

test("deltas change the table, a missed one is refused, and no timer is left behind", () => {
  const { view, clock, ids } = observe();
  view.apply({ kind: "snapshot", table: full, leases: { s1: 5_000, s2: 5_000 } });
  const delta = { kind: "delta", putRules: [], leases: {} } as const;
  assert.equal(
    view.apply({ ...delta, previous: 1, revision: 2, putOverrides: [], removed: ["anna", "rule"] }),
    true,
  );
  assert.deepEqual(ids(), ["ben", "fixed"]);
  assert.equal(view.apply({ ...delta, previous: 3, revision: 4, putOverrides: [anna], removed: [] }), false);
  assert.deepEqual([ids(), view.revision], [["ben", "fixed"], 2]);
  view.stop();
  assert.equal(clock.waiting, 0);
});

test("a delta before any snapshot is a gap", () => {
  const { view, tables } = observe();
  const delta = {
    kind: "delta",
    previous: 0,
    revision: 1,
    putOverrides: [],
    putRules: [],
    removed: [],
    leases: {},
  } as const;
  assert.deepEqual([view.apply(delta), tables.length], [false, 0]);
});
