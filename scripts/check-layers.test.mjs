import assert from "node:assert/strict";
import { test } from "node:test";
import { drawFloors, faultsOf } from "./check-layers.mjs";
import { rowNumbers } from "./layers.mjs";

const rows = rowNumbers();
const pkg = (over) => ({
  name: "agent",
  dependencies: [],
  devDependencies: [],
  references: [],
  imports: [],
  ...over,
});

test("an import of a lower floor passes", () => {
  const imports = [{ name: "proxy", file: "a.ts", inTest: false }];
  assert.deepEqual(faultsOf(pkg({ dependencies: ["proxy"], references: ["proxy"], imports }), rows), []);
});

test("an import that goes up, sideways or aside is named", () => {
  for (const name of ["cli", "gateway", "testing"]) {
    const faults = faultsOf(pkg({ dependencies: [name], references: [name] }), rows);
    assert.equal(faults.length, 1, name);
    assert.match(faults[0], new RegExp(name));
  }
});

test("an undeclared import, a missing reference and one too many are named", () => {
  const imports = [{ name: "wire", file: "a.ts", inTest: false }];
  assert.match(faultsOf(pkg({ imports }), rows)[0], /a\.ts: imports @clew\/wire/);
  assert.match(faultsOf(pkg({ dependencies: ["wire"] }), rows)[0], /without a tsconfig reference/);
  assert.match(faultsOf(pkg({ references: ["wire"] }), rows)[0], /package\.json does not/);
});

test("a test may import what only tests declare, and nothing else may", () => {
  const declared = { devDependencies: ["testing"], references: ["testing"] };
  const used = (inTest) => pkg({ ...declared, imports: [{ name: "testing", file: "a.ts", inTest }] });
  assert.deepEqual(faultsOf(used(true), rows), []);
  assert.equal(faultsOf(used(false), rows).length, 1);
});

test("a package on no floor is named", () => {
  assert.match(faultsOf(pkg({ name: "attic" }), rows)[0], /no floor/);
});

test("the drawing has every floor, top first", () => {
  const lines = drawFloors(new Set([...rows.keys()])).split("\n");
  assert.match(lines[0], /^floor 4 +cli/);
  assert.match(lines.at(-2), /errors/);
});
