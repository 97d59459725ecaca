import assert from "node:assert/strict";
import { test } from "node:test";
import { createReportCounter } from "./rate-limit.ts";

test("the first is reported at once, those within the interval with the next behind it", () => {
  let now = 0;
  const counts: number[] = [];
  const count = createReportCounter(({ count: counted }) => counts.push(counted), {
    intervalMs: 100,
    now: () => now,
  });
  count();
  count(2);
  now = 99;
  count();
  assert.deepEqual(counts, [1]);
  now = 100;
  count();
  now = 500;
  count(5);
  assert.deepEqual(counts, [1, 4, 5]);
});
