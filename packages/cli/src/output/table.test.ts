import assert from "node:assert/strict";
import { test } from "node:test";
import { describeDuration, layOut } from "./table.ts";

test("columns line up and the last one is not padded", () => {
  assert.equal(
    layOut([
      ["a", "bbb", "c"],
      ["aaa", "b", ""],
    ]),
    "  a    bbb  c\n  aaa  b",
  );
  assert.equal(layOut([]), "");
});

test("durations read in the unit a person would choose", () => {
  const shown = [0, 90_000, 300_000, 3 * 3_600_000, 3 * 86_400_000].map(describeDuration);
  assert.deepEqual(shown, ["0 s", "90 s", "5 min", "3 h", "3 days"]);
});
