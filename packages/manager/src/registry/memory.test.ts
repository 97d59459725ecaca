import assert from "node:assert/strict";
import { test } from "node:test";
import { registryContract, temporaryDirectory } from "@clew/testing";
import { createMemoryRegistry, type MemoryRegistryOptions } from "./memory.ts";
import type { WatchEvent } from "./registry.ts";
import type { RegistryReport } from "./report.ts";
import { createManualClock } from "./test/manual-clock.ts";

/** Just above what the longest case of the contract reads back. */
const historyEvents = 200;

async function subject(options: MemoryRegistryOptions, dispose: () => PromiseLike<void>) {
  const registry = await createMemoryRegistry({ ...options, limits: { historyEvents, ...options.limits } });
  return {
    registry,
    shortLeaseMs: 250,
    async compact() {
      for (let event = 0; event < historyEvents; event += 1) await registry.put("filler", `${event}`);
    },
    async [Symbol.asyncDispose]() {
      await registry.close();
      await dispose();
    },
  };
}

registryContract("in memory", () => subject({}, async () => {}));

registryContract("in memory and on disk, each write synced", async () => {
  const directory = await temporaryDirectory();
  const options = { directory: directory.path, fsync: true, limits: { journalBytes: 20_000 } };
  return subject(options, () => directory[Symbol.asyncDispose]());
});

test("a lease ends when its time is over, not sooner, and a sign of life sets it back", async () => {
  const clock = createManualClock();
  const registry = await createMemoryRegistry({ clock });
  const watch = registry.watch("", 0, new AbortController().signal)[Symbol.asyncIterator]();
  const lease = await registry.lease(15_000);
  await registry.put("a", "", { lease: lease.id });
  await watch.next();
  clock.advance(14_999);
  assert.equal(await lease.keepAlive(), true);
  clock.advance(14_999);
  assert.equal((await registry.delete("none")).ok, true);
  assert.ok(await registry.get("a"));
  clock.advance(1);
  const { value } = await watch.next();
  assert.equal((value as WatchEvent).kind, "delete");
  await registry.close();
});

test("a lease longer than a timer can count does not end at once", async () => {
  const registry = await createMemoryRegistry();
  const lease = await registry.lease(30 * 24 * 3_600_000);
  await new Promise(setImmediate);
  assert.equal(await lease.keepAlive(), true);
  await registry.close();
});

test("a lease is not ended by a process that was stopped, as no keep-alive could arrive", async () => {
  const clock = createManualClock();
  const reports: RegistryReport[] = [];
  const registry = await createMemoryRegistry({ clock, onReport: (report) => reports.push(report) });
  const { id } = await registry.lease(15_000);
  clock.jump(20_000);
  await registry.delete("none");
  assert.ok(await registry.findLease(id));
  assert.deepEqual(reports, [{ kind: "lease-forgiven", lease: id, lateMs: 5_000 }]);
  clock.advance(15_000);
  await registry.delete("none");
  assert.equal(await registry.findLease(id), undefined);
  await registry.close();
});

test("a lease that is being made while the registry closes leaves no timer behind", async () => {
  let timers = 0;
  const after = (): (() => void) => {
    timers += 1;
    return () => {
      timers -= 1;
    };
  };
  const registry = await createMemoryRegistry({ clock: { monotonicMs: () => 0, after } });
  await registry.lease(1_000);
  const making = registry.lease(1_000);
  await registry.close();
  await making;
  assert.equal(timers, 0);
});

test("a watcher that falls behind the kept history is told, and holds nothing up", async () => {
  const registry = await createMemoryRegistry({ limits: { historyEvents: 10 } });
  const watch = registry.watch("", 0, new AbortController().signal)[Symbol.asyncIterator]();
  await registry.put("a", "first");
  assert.equal(((await watch.next()).value as WatchEvent).kind, "put");
  for (let round = 0; round < 11; round += 1) await registry.put("a", `${round}`);
  assert.deepEqual((await watch.next()).value, { kind: "compacted", revision: 2 });
  assert.equal((await watch.next()).done, true);
  await registry.close();
});

test("history is bounded in bytes too", async () => {
  const registry = await createMemoryRegistry({ limits: { historyBytes: 1_000 } });
  await registry.put("a", "x".repeat(10_000));
  const watch = registry.watch("", 0, new AbortController().signal)[Symbol.asyncIterator]();
  assert.deepEqual((await watch.next()).value, { kind: "compacted", revision: 1 });
  await registry.close();
});

test("each limit refuses with its own words", async () => {
  const limits = { entries: 2, leases: 1, watchers: 1, pendingWrites: 3 };
  const registry = await createMemoryRegistry({ limits });
  const refused = (call: Promise<unknown>, words: RegExp): Promise<void> =>
    assert.rejects(call, (error: Error & { code?: string }) => {
      assert.equal(error.code, "E_REGISTRY_LIMIT");
      return words.test(error.message);
    });
  await registry.put("a", "");
  await registry.put("b", "");
  await refused(registry.put("c", ""), /2 entries/);
  await registry.put("b", "written again");
  await registry.lease(1_000);
  await refused(registry.lease(1_000), /1 leases/);
  const first = registry.watch("", 0, new AbortController().signal)[Symbol.asyncIterator]();
  await first.next();
  const second = registry.watch("", 0, new AbortController().signal)[Symbol.asyncIterator]();
  await refused(second.next(), /1 watches/);
  await first.return?.();
  const waiting = ["1", "2", "3"].map((value) => registry.put("a", value));
  await refused(registry.put("a", "4"), /3 waiting writes/);
  assert.ok((await Promise.all(waiting)).every((result) => result.ok));
  await registry.close();
});
