// @ts-check
// The small form of `npm run soak:context`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isCaught, partNames, soak } from "./soak/run.mjs";

const node = process.execPath;

test("10,000 requests of 1,000 tenants through pools, queues, pipelines and batches: each receiver gets the context of its own request", async () => {
  const { parts } = await soak({ node, requests: 10_000, parts: partNames });
  for (const { part, sent, answered, right, wrong, lost } of parts) {
    assert.deepEqual(
      { part, answered, right, wrong, lost },
      { part, answered: sent, right: sent, wrong: 0, lost: 0 },
    );
  }
});

test("the same with OpenTelemetry crosses contexts in undici's pools, so the soak would see ours", async () => {
  const parts = ["fetch-global", "undici-pool"];
  const report = await soak({ node, requests: 1_000, parts, control: "opentelemetry" });
  assert.ok(isCaught(report.parts), JSON.stringify(report.parts));
});
