import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startRedis, type TestRedis, until } from "@clew/testing";
import { Redis } from "ioredis";
import type { ClaimRequest, IdempotencyStore } from "./idempotency-store.ts";
import { createMemoryIdempotencyStore } from "./memory-store.ts";
import { createRedisIdempotencyStore } from "./redis-store.ts";

let server: TestRedis;
let redis: Redis;
before(async () => {
  server = await startRedis();
  redis = new Redis(server.port, "127.0.0.1");
});
after(async () => {
  redis.disconnect();
  await server[Symbol.asyncDispose]();
});

const hour = 3_600_000;

function claimOf(key: string, owner: string, more: Partial<ClaimRequest> = {}): ClaimRequest {
  const common = { argumentsHash: "args", leaseMs: hour, rememberMs: hour, mayTakeOver: false };
  return { key, owner, requestId: `request of ${owner}`, ...common, ...more };
}

function contract(name: string, create: () => IdempotencyStore): void {
  describe(name, () => {
    test("of many that claim a key at once, one gets it, and the others see whose it is", async () => {
      const store = create();
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, i) => store.claim(claimOf("many", String(i)))),
      );
      assert.deepEqual(claims.map(({ kind }) => kind).sort(), [
        "claimed",
        ...Array<string>(19).fill("processing"),
      ]);
      const other = claims.find((claim) => claim.kind === "processing");
      assert.ok(other?.kind === "processing" && other.leaseLeftMs > 0 && other.leaseLeftMs <= hour);
      assert.equal(other.argumentsHash, "args");
      assert.equal(other.requestId, `request of ${claims.findIndex(({ kind }) => kind === "claimed")}`);
    });

    test("an outcome is kept as it was given, until its time is over", async () => {
      const store = create();
      await store.claim(claimOf("kept", "a"));
      const begin = Date.now();
      assert.equal(await store.complete("kept", "a", '{"result":"ü\\u0000"}', hour), true);
      const claim = await store.claim(claimOf("kept", "b"));
      assert.ok(claim.kind === "completed");
      assert.equal(claim.outcome, '{"result":"ü\\u0000"}');
      assert.equal(claim.requestId, "request of a");
      // The store's clock is this machine's, here.
      assert.ok(claim.completedAt >= begin - 1 && claim.completedAt <= Date.now() + 1);
      assert.ok(Math.abs(claim.expiresAt - claim.completedAt - hour) <= 1_000);
      await store.claim(claimOf("short", "a"));
      await store.complete("short", "a", "{}", 1);
      await until(async () => (await store.claim(claimOf("short", "b"))).kind === "claimed");
    });

    test("nobody completes, renews or releases a claim that is another's", async () => {
      const store = create();
      await store.claim(claimOf("mine", "a"));
      assert.equal(await store.complete("mine", "b", "{}", hour), false);
      assert.equal(await store.renew("mine", "b", 1), false);
      await store.release("mine", "b");
      assert.equal((await store.claim(claimOf("mine", "c"))).kind, "processing");
      assert.equal(await store.renew("mine", "a", hour), true);
    });

    test("a claim that was released, and only that, is free at once", async () => {
      const store = create();
      await store.claim(claimOf("free", "a"));
      await store.release("free", "a");
      assert.equal((await store.claim(claimOf("free", "b"))).kind, "claimed");
      await store.complete("free", "b", "{}", hour);
      await store.release("free", "b");
      assert.equal((await store.claim(claimOf("free", "c"))).kind, "completed");
    });

    test("an owner that falls silent loses its claim: to nobody, or with a higher fence to the same arguments", async () => {
      const store = create();
      await store.claim(claimOf("lost", "a", { leaseMs: 1 }));
      await until(async () => (await store.claim(claimOf("lost", "b"))).kind === "lost");
      const other = await store.claim(claimOf("lost", "b", { mayTakeOver: true, argumentsHash: "others" }));
      assert.equal(other.kind, "lost");
      const taken = await store.claim(claimOf("lost", "b", { mayTakeOver: true }));
      assert.deepEqual(taken, { kind: "claimed", fence: 2 });
      assert.equal(await store.complete("lost", "a", "{}", hour), false);
      assert.equal(await store.complete("lost", "b", "{}", hour), true);
    });

    test("an owner that was silent for too long may still complete what nobody took over", async () => {
      const store = create();
      await store.claim(claimOf("late", "a", { leaseMs: 1 }));
      await until(async () => (await store.claim(claimOf("late", "b"))).kind === "lost");
      assert.equal(await store.complete("late", "a", "{}", hour), true);
    });
  });
}

contract("memory", () => createMemoryIdempotencyStore());
contract("Redis", () => createRedisIdempotencyStore({ redis }));

test("a full memory store refuses new keys, and forgets none before its time", async () => {
  const store = createMemoryIdempotencyStore({ maxKeys: 2 });
  await store.claim(claimOf("a", "a"));
  await store.claim(claimOf("b", "b"));
  await store.complete("b", "b", "{}", 1);
  await until(async () => {
    try {
      return (await store.claim(claimOf("c", "c"))).kind === "claimed";
    } catch (error) {
      assert.equal((error as { code?: string }).code, "UNAVAILABLE");
      return false;
    }
  });
  assert.equal((await store.claim(claimOf("a", "x"))).kind, "processing");
});

test("a memory store is full when its outcomes are, too", async () => {
  const store = createMemoryIdempotencyStore({ maxCharacters: 10 });
  await store.claim(claimOf("a", "a"));
  await store.complete("a", "a", "0123456789", hour);
  await assert.rejects(store.claim(claimOf("b", "b")), { code: "UNAVAILABLE" });
});

test("a Redis client that repeats a command whose reply it lost does no harm", async () => {
  const store = createRedisIdempotencyStore({ redis });
  assert.deepEqual(await store.claim(claimOf("twice", "a")), { kind: "claimed", fence: 1 });
  assert.deepEqual(await store.claim(claimOf("twice", "a")), { kind: "claimed", fence: 1 });
  assert.equal(await store.complete("twice", "a", "1", hour), true);
  assert.equal(await store.complete("twice", "a", "2", hour), true);
  await store.release("twice", "a");
  const claim = await store.claim(claimOf("twice", "b"));
  assert.equal(claim.kind === "completed" && claim.outcome, "1");
});
