import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionReport } from "@clew/control";
import { createDecisions } from "./decisions.ts";

const limits = {
  maxDecisionNonces: 3,
  maxDecisionsPerNonce: 2,
  decisionRetentionMs: 1_000,
  maxDecisionsQueued: 2,
};

function decision(service: string, nonce?: string): DecisionReport {
  return {
    nonce,
    service,
    agent: "a",
    port: "http",
    method: "GET",
    path: "/",
    atUs: 1,
    destination: "live",
    reason: "no-match",
    decideUs: 1,
    durationMs: 1,
  };
}

function setUp() {
  const time = { nowMs: 0 };
  const decisions = createDecisions({ now: () => time.nowMs, monotonicMs: () => time.nowMs }, limits);
  const remembered = async (nonce?: string): Promise<string[]> => {
    const services: string[] = [];
    const stop = new AbortController();
    // Once what is remembered has been read, the watch would wait: one turn of the event loop later it is told to stop.
    setImmediate(() => stop.abort());
    for await (const { service } of decisions.watch(nonce, stop.signal)) services.push(service);
    return services;
  };
  return { time, decisions, remembered };
}

test("a watcher gets what is remembered first, then what comes, of its nonce alone", async () => {
  const { decisions } = setUp();
  decisions.report([decision("storefront", "n"), decision("other", "m")]);
  const watch = decisions.watch("n", new AbortController().signal);
  assert.equal((await watch.next()).value?.service, "storefront");
  const next = watch.next();
  decisions.report([decision("else"), decision("orders", "n")]);
  assert.equal((await next).value?.service, "orders");
  await watch.return();
});

test("without a nonce all are watched", async () => {
  const { decisions, remembered } = setUp();
  decisions.report([decision("a", "n"), decision("b")]);
  assert.deepEqual(await remembered(), ["a", "b"]);
});

test("a nonce keeps its last decisions, for a while, and gives way to newer nonces", async () => {
  const { time, decisions, remembered } = setUp();
  decisions.report(["a", "b", "c"].map((service) => decision(service, "n")));
  assert.deepEqual(await remembered("n"), ["b", "c"]);
  time.nowMs = 999;
  assert.deepEqual(await remembered("n"), ["b", "c"]);
  time.nowMs = 1_000;
  assert.deepEqual(await remembered("n"), []);
  // Two nonces beside the one place for those of all requests.
  for (const nonce of ["1", "2", "3"]) decisions.report([decision("a", nonce)]);
  assert.deepEqual([await remembered("1"), await remembered("2"), await remembered("3")], [[], ["a"], ["a"]]);
});

test("a watcher that does not read is told that it fell behind, after what it was still owed", async () => {
  const { decisions } = setUp();
  const watch = decisions.watch(undefined, new AbortController().signal);
  const first = watch.next();
  decisions.report(["a", "b", "c", "d"].map((service) => decision(service)));
  assert.equal((await first).value?.service, "a");
  assert.equal((await watch.next()).value?.service, "b");
  await assert.rejects(watch.next(), { code: "E_WATCH_BEHIND", retryable: true });
});
