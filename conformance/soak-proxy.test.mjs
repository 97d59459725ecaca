// @ts-check
// The small form of `npm run soak:proxy`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { slope } from "./soak-proxy/memory.mjs";
import { soakProxy, soakWithoutAgent } from "./soak-proxy/run.mjs";

test("a mixed load while overrides are made and ended: every answer is whole, and from where it must be, and nothing stays open", async () => {
  const { signal } = new AbortController();
  const report = await soakProxy({ node: process.execPath, rate: 300, ms: 6_000, signal });
  const { right, errors, faults, overrides, leftOpen } = report;
  assert.deepEqual(
    { right, errors, faults, leftOpen },
    { right: report.sent, errors: 0, faults: [], leftOpen: 0 },
  );
  assert.ok(overrides > 0, "overrides came to be and ended meanwhile");
});

test("the same load without an agent, and with spoilt answers, is found out: the soak would see ours", async () => {
  const { sent, wrongPlace, wrongBytes, failed, byKind, right } = await soakWithoutAgent({
    rate: 300,
    ms: 3_000,
  });
  assert.ok(wrongPlace > 0, "what was for the developer went to the live service");
  assert.ok(
    wrongBytes > 0 && wrongBytes <= (byKind["large"] ?? 0),
    "one byte of each large answer was another",
  );
  assert.equal(failed, 0);
  assert.equal(right + wrongPlace + wrongBytes, sent);
});

test("memory that grows is told from memory that goes up and down", () => {
  const mib = 1024 * 1024;
  const samples = Array.from({ length: 361 }, (_, index) => ({
    atMs: index * 10_000,
    rss: (100 + (index / 360) * 20) * mib,
    heapUsed: (20 + (index % 2)) * mib,
    external: 0,
  }));
  assert.equal(Math.round(slope(samples, ({ rss }) => rss)), 20);
  assert.equal(Math.round(slope(samples, ({ heapUsed }) => heapUsed)), 0);
});
