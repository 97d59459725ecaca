// @ts-check
// The proxy as a black box: our cases, whole and cut in two, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { escaped, loadCases } from "./http/cases.mjs";
import { startBlackBox } from "./http/through-proxy.mjs";
import { fuzzThroughProxy } from "./http-fuzz/through-proxy.mjs";

test("what is refused gets its status and a closed connection, and not a byte of it goes on; what is taken arrives", async () => {
  const box = await startBlackBox();
  const failed = [];
  let asked = 0;
  for (const one of loadCases()) {
    if (one.unfinished === true) continue;
    asked++;
    const faults = await box.check(one);
    if (faults.length > 0) failed.push({ key: one.key, bytes: escaped(one.bytes).slice(0, 400), faults });
  }
  await box.close();
  assert.deepEqual(failed, []);
  assert.ok(asked >= 390);
});

test("a forwarder that passes everything on as it comes is found", async () => {
  const box = await startBlackBox(async (port) => ({ port, close: async () => {}, settled: async () => {} }));
  for (const key of [
    "transfer-encoding: a length and then a coding",
    "content-length: two differing lengths",
    "answers: two differing lengths",
  ]) {
    const one = loadCases().find((each) => each.key === key);
    assert.ok(one, key);
    // It leaves them open: there is nothing to wait for.
    assert.notDeepEqual(await box.check(one, 100), [], key);
  }
  await box.close();
});

test("a thousand generated and damaged messages go through the proxy as our parser understands them, or not at all", async () => {
  const { findings, count, outcomes } = await fuzzThroughProxy({ count: 1_000, seed: 6 });
  assert.deepEqual(findings, []);
  assert.equal(count, 1_000);
  for (const outcome of ["request: taken", "request: refused", "answer: taken", "answer: refused"]) {
    assert.ok((outcomes[outcome] ?? 0) > 0, outcome);
  }
});
