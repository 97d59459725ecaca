import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { RegistryUnderTest } from "./registry-contract-types.ts";
import { watchUntil } from "./registry-contract-watch.ts";

type Check = (title: string, run: (subject: RegistryUnderTest) => Promise<void>) => void;

export function registryLeaseCases(check: Check): void {
  check("the end of a lease reaches watchers as deletes of its keys, and of no other", async (subject) => {
    const { registry } = subject;
    const { revision } = await registry.list("");
    const { id: lease } = await registry.lease(subject.shortLeaseMs);
    await registry.put("l/b", "1", { lease });
    await registry.transaction({
      puts: [
        { key: "l/a", value: "1", lease },
        { key: "l/c", value: "1", lease },
        { key: "l/free", value: "1" },
      ],
    });
    // Written again without it, a key leaves the lease.
    await registry.put("l/c", "2");
    const { told, revisions } = await watchUntil(registry, "l/", revision, "-l/b");
    assert.deepEqual(told.slice(-3), ["+l/c=2", "-l/a", "-l/b"]);
    assert.equal(revisions.at(-1), revisions.at(-2));
    assert.equal((await registry.list("l/")).entries.length, 2);
    assert.equal(await registry.findLease(lease), undefined);
  });

  check(
    "a lease that is kept alive outlasts a later one of its length, and ends when it is not",
    async (subject) => {
      const { registry, shortLeaseMs } = subject;
      const { revision } = await registry.list("");
      const kept = await registry.lease(shortLeaseMs);
      await registry.put("k/kept", "", { lease: kept.id });
      const keeping = new AbortController();
      const alive = (async () => {
        while (!keeping.signal.aborted) {
          assert.equal(await kept.keepAlive(), true);
          await delay(shortLeaseMs / 8);
        }
      })();
      // Begun clearly later: it ends after the kept one would have.
      await delay(shortLeaseMs / 2);
      const other = await registry.lease(shortLeaseMs);
      await registry.put("k/other", "", { lease: other.id });
      await watchUntil(registry, "k/", revision, "-k/other");
      assert.ok(await registry.get("k/kept"));
      keeping.abort();
      await alive;
      await watchUntil(registry, "k/", revision, "-k/kept");
      assert.equal(await kept.keepAlive(), false);
    },
  );

  check(
    "a revoked lease ends at once, with its keys, and is no longer written with",
    async ({ registry }) => {
      const { revision } = await registry.list("");
      const lease = await registry.lease(600_000);
      await registry.put("r/a", "1", { lease: lease.id });
      await lease.revoke();
      assert.equal(await registry.get("r/a"), undefined);
      assert.deepEqual((await watchUntil(registry, "r/", revision, "-r/a")).told, ["+r/a=1", "-r/a"]);
      assert.equal(await lease.keepAlive(), false);
      await lease.revoke();
      await assert.rejects(registry.put("r/a", "2", { lease: lease.id }), { code: "E_REGISTRY_LEASE_GONE" });
      await assert.rejects(registry.put("r/a", "2", { lease: "no lease" }), {
        code: "E_REGISTRY_LEASE_GONE",
      });
      assert.equal(await registry.get("r/a"), undefined);
    },
  );

  check("a lease is found again by its id", async ({ registry }) => {
    const made = await registry.lease(600_000);
    const found = (await registry.findLease(made.id)) ?? assert.fail("not found");
    assert.equal(found.id, made.id);
    assert.equal(await found.keepAlive(), true);
    await registry.put("f", "1", { lease: found.id });
    await made.revoke();
    assert.equal(await found.keepAlive(), false);
    assert.equal(await registry.findLease(made.id), undefined);
    assert.equal(await registry.findLease("no lease"), undefined);
  });
}
