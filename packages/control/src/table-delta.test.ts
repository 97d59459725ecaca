import assert from "node:assert/strict";
import { test } from "node:test";
import type { Override, Table } from "@clew/routing";
import fc from "fast-check";
import { applyDelta, diffTables } from "./table-delta.ts";
import { overrideOf, ruleOf, tableOf } from "./test/fixtures.ts";

/** Up to eight overrides and rules; ids come again with other owners, and never change their kind. */
const tables = fc
  .tuple(
    fc.uniqueArray(fc.record({ id: fc.nat(7), owner: fc.constantFrom("anna", "ben") }), {
      selector: ({ id }) => id,
    }),
    fc.uniqueArray(fc.record({ id: fc.nat(7), owner: fc.constantFrom("anna", "ben") }), {
      selector: ({ id }) => id,
    }),
  )
  .map(([overrides, rules]) =>
    tableOf({
      overrides: overrides.map(({ id, owner }) => overrideOf(`o${id}`, { owner })),
      rules: rules.map(({ id, owner }) => ruleOf(`r${id}`, overrideOf(`or${id}`, { owner }))),
    }),
  );

const sorted = (table: Table): Table => ({
  ...table,
  overrides: [...table.overrides].sort((a, b) => (a.id < b.id ? -1 : 1)),
  rules: [...table.rules].sort((a, b) => (a.id < b.id ? -1 : 1)),
});

test("a delta applied to the table it was made from gives the other table", () => {
  fc.assert(
    fc.property(tables, tables, (previous, next) => {
      const target = { ...next, revision: previous.revision + 1 };
      const delta = diffTables(previous, target);
      assert.ok(delta);
      assert.deepEqual(sorted(applyDelta(previous, delta) as Table), sorted(target));
    }),
  );
});

test("a delta says only what changed", () => {
  const kept = overrideOf("kept");
  const changed = overrideOf("changed");
  const previous = tableOf({ overrides: [kept, changed, overrideOf("gone")], rules: [ruleOf("r", kept)] });
  const moved: Override = { ...changed, onFailure: "error" };
  const next = tableOf({
    revision: 2,
    overrides: [kept, moved, overrideOf("new")],
    rules: [ruleOf("r", kept)],
  });
  assert.deepEqual(diffTables(previous, next), {
    previous: 1,
    revision: 2,
    putOverrides: [moved, overrideOf("new")],
    putRules: [],
    removed: ["gone"],
  });
});

test("what a delta cannot say needs a snapshot", () => {
  const table = tableOf({ overrides: [overrideOf("a")] });
  assert.equal(diffTables(table, tableOf({ service: "other" })), undefined);
  assert.equal(diffTables(table, { ...table, wiretaps: [overrideOf("w")] }), undefined);
  assert.equal(diffTables(table, tableOf({ rules: [ruleOf("a", overrideOf("x"))] })), undefined);
});

test("a delta on another revision is a gap", () => {
  const delta = { previous: 1, revision: 2, putOverrides: [], putRules: [], removed: [] };
  assert.equal(applyDelta(tableOf({ revision: 7 }), delta), undefined);
});
