import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManagerClient, RoutingKeyGrant } from "@clew/control";
import { describeKeyLifetime, keepRoutingKey } from "./routing-key.ts";

const hourMs = 3_600_000;

/** A manager of which only `routes.key` is there, which counts. */
function clientOf(answer: (call: number) => RoutingKeyGrant): { client: ManagerClient; asked: string[] } {
  const asked: string[] = [];
  const key = async ({ route }: { readonly route: string }): Promise<RoutingKeyGrant> =>
    answer(asked.push(route));
  return { client: { routes: { key } } as unknown as ManagerClient, asked };
}

test("a key gets a successor ten minutes before it ends, though the manager is away at first; one for ever never", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const { client, asked } = clientOf((call) => {
    if (call === 1) throw new Error("away");
    return { key: `key-${call}`, expiresAt: Date.now() + 2 * hourMs };
  });
  const over = new AbortController();
  const keys: string[] = [];
  const keep = (expiresAt: number | undefined): void =>
    keepRoutingKey({
      client,
      route: "ann",
      expiresAt,
      signal: over.signal,
      onKey: ({ key }) => keys.push(key),
    });
  keep(undefined);
  keep(Date.now() + hourMs);
  const pass = async (ms: number): Promise<void> => {
    t.mock.timers.tick(ms);
    await turn();
  };
  await pass(hourMs - 600_001);
  assert.deepEqual(asked, []);
  await pass(1);
  assert.deepEqual([asked, keys], [["ann"], []]);
  await pass(30_000);
  assert.deepEqual(keys, ["key-2"]);
  await pass(30_000);
  await pass(hourMs);
  assert.deepEqual(keys, ["key-2"]);
  await pass(hourMs);
  assert.deepEqual(keys, ["key-2", "key-3"]);
  over.abort();
  await pass(24 * hourMs);
  assert.equal(asked.length, 3);
});

test("a key's lifetime is said as people say it", () => {
  assert.equal(describeKeyLifetime(undefined), undefined);
  assert.equal(describeKeyLifetime(Date.now() + 24 * hourMs), "for 24 h");
});
