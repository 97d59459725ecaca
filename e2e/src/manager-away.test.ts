import assert from "node:assert/strict";
import { test } from "node:test";
import { takeManagerAway } from "./manager-away.ts";

test("a manager killed for 20 s, longer than a lease, costs no request, and is missed by nobody when it is back", async () => {
  const report = await takeManagerAway(20_000);
  process.stdout.write(`manager away: ${JSON.stringify(report)}\n`);
  assert.deepEqual([report.failed, report.cut, report.wrongPlace], [0, 0, 0], report.faults.join("\n"));
  assert.ok(report.answered > 3_000, "the load ran");
});
