import assert from "node:assert/strict";
import { test } from "node:test";
import type { Table } from "@clew/routing";
import { until } from "@clew/testing";
import { createManagerClient } from "../manager-client.ts";
import type { Preview } from "../preview-types.ts";
import type { AgentInfo, GatewayInfo, RoutingKeys } from "../types.ts";
import { watchPreviews } from "../watch-previews.ts";
import { watchTable } from "../watch-table.ts";
import { type FakeManager, Queue, startFakeManager } from "./fake-manager.ts";
import { overrideOf, TestClock, tableOf } from "./fixtures.ts";

const agent: AgentInfo = {
  id: "agent-1",
  ports: { http: { address: "127.0.0.1:8102", protocol: "auto" } },
  env: { PORT: "{orders.http}" },
};
const anna = overrideOf("anna", { session: "s1" });
const ids = ({ overrides }: Table): string[] => overrides.map(({ id }) => id);
const delta = { kind: "delta", putOverrides: [], putRules: [], removed: [], leases: {} } as const;

interface Observed extends Disposable {
  readonly tables: Queue<Table>;
  /** Modes and tables in the order in which they were handed over. */
  readonly order: string[];
  readonly connection: Queue<boolean | string>;
  readonly clock: TestClock;
}

function observe(manager: FakeManager, onChange?: (table: Table) => void): Observed {
  const controller = new AbortController();
  const tables = new Queue<Table>();
  const order: string[] = [];
  const connection = new Queue<boolean | string>();
  const clock = new TestClock();
  const client = createManagerClient({ url: manager.url, service: "agent" });
  watchTable({
    client,
    service: "orders",
    agent,
    clock,
    random: () => 1,
    signal: controller.signal,
    onKeys: ({ mode, publicKeys }) => void order.push([mode, ...Object.keys(publicKeys)].join(" ")),
    onChange(table) {
      order.push(`table ${table.revision}`);
      tables.put(table);
      onChange?.(table);
    },
    onConnection: (up, error) =>
      connection.put(up || (error as { code: string } | undefined)?.code || "ended"),
  });
  return {
    tables,
    order,
    connection,
    clock,
    [Symbol.dispose]() {
      controller.abort();
      client.close();
    },
  };
}

test("the agent introduces itself, and gets the table and each change of it", async () => {
  await using manager = await startFakeManager();
  using observed = observe(manager);
  const watch = await manager.nextTableWatch();
  assert.deepEqual(watch.args, { service: "orders", agent });
  watch.send({ kind: "snapshot", table: tableOf(), leases: {} });
  watch.send({ ...delta, previous: 1, revision: 2, putOverrides: [anna], leases: { s1: 15_000 } });
  watch.send({ ...delta, previous: 2, revision: 3, removed: ["anna"] });
  assert.deepEqual(ids(await observed.tables.take()), []);
  assert.deepEqual(ids(await observed.tables.take()), ["anna"]);
  assert.deepEqual(ids(await observed.tables.take()), []);
  assert.equal(await observed.connection.take(), true);
});

test("with the manager gone the last table stays, leases end by the own clock, and it comes back by itself", async () => {
  await using manager = await startFakeManager();
  using observed = observe(manager);
  const { tables, connection, clock } = observed;
  const first = await manager.nextTableWatch();
  const table = tableOf({ revision: 4, overrides: [anna, overrideOf("fixed")] });
  first.send({ kind: "snapshot", table, leases: { s1: 15_000 } });
  assert.deepEqual(ids(await tables.take()), ["anna", "fixed"]);
  assert.equal(await connection.take(), true);

  await manager.stop();
  assert.equal(await connection.take(), "UNAVAILABLE");
  // Retries meet a closed port while this clock goes on; the lease ends all the same.
  for (let i = 0; i < 15; i++) {
    await until(() => clock.waiting > 0);
    clock.advance(1_000);
  }
  assert.deepEqual(ids(await tables.take()), ["fixed"]);

  await manager.restart();
  const again = manager.nextTableWatch();
  let isBack = false;
  void again.then(() => (isBack = true));
  await until(() => {
    clock.advance(1_000);
    return isBack;
  });
  const second = await again;
  assert.equal(second.args.since, 4);
  second.send({ kind: "snapshot", table, leases: { s1: 15_000 } });
  assert.deepEqual(ids(await tables.take()), ["anna", "fixed"]);
  assert.equal(await connection.take(), true);
});

test("after a missed update the whole table is asked for anew", async () => {
  await using manager = await startFakeManager();
  using observed = observe(manager);
  const { tables, clock } = observed;
  const first = await manager.nextTableWatch();
  first.send({ kind: "snapshot", table: tableOf({ revision: 4 }), leases: {} });
  await tables.take();
  first.send({ ...delta, previous: 5, revision: 6, putOverrides: [anna] });
  await until(() => clock.waiting > 0);
  clock.advance(100);
  const second = await manager.nextTableWatch();
  assert.equal(second.args.since, undefined);
  second.send({ kind: "snapshot", table: tableOf({ revision: 6, overrides: [anna] }), leases: {} });
  assert.deepEqual(ids(await tables.take()), ["anna"]);
});

test("a callback that throws ends nothing, and is warned about", async (t) => {
  const warnings = t.mock.method(process, "emitWarning", () => {});
  await using manager = await startFakeManager();
  using observed = observe(manager, () => {
    throw new Error("the agent's mistake");
  });
  const watch = await manager.nextTableWatch();
  watch.send({ kind: "snapshot", table: tableOf(), leases: {} });
  watch.send({ ...delta, previous: 1, revision: 2, putOverrides: [anna] });
  await observed.tables.take();
  assert.deepEqual(ids(await observed.tables.take()), ["anna"]);
  assert.equal(warnings.mock.callCount(), 2);
});

test("previews end by the own clock, with the manager gone too", async () => {
  await using manager = await startFakeManager();
  const gateway: GatewayInfo = {
    id: "g",
    previewUrl: "http://{slug}.preview.localhost:8000/",
    url: "http://127.0.0.1:8000/",
  };
  const day = 86_400_000;
  const preview = (slug: string, remainingMs: number): Preview => {
    return {
      slug,
      route: "anna",
      key: "anna",
      owner: "anna",
      createdAt: 0,
      expiresAt: day,
      remainingMs,
      access: { kind: "public" },
      banner: true,
      replaces: [],
    };
  };
  const controller = new AbortController();
  const clock = new TestClock();
  const lists = new Queue<string[]>();
  const endings = new Queue<string[]>();
  const client = createManagerClient({ url: manager.url, service: "gateway" });
  watchPreviews({
    client,
    gateway,
    clock,
    signal: controller.signal,
    onChange(previews, { ended, revokedVisitors, visitorKey }) {
      lists.put(previews.map(({ slug }) => slug));
      assert.deepEqual([revokedVisitors, visitorKey], [{ a: ["v1"] }, "secret"]);
      endings.put(ended.map(({ slug, how }) => `${slug} ${how}`));
    },
  });
  const watch = await manager.nextPreviewWatch();
  assert.deepEqual(watch.args, { gateway });
  // Longer than the longest timer that JavaScript has.
  watch.send({
    kind: "snapshot",
    previews: [preview("a", day), preview("b", 30 * day)],
    ended: [{ slug: "c", owner: "bob", how: "revoked", at: 1 }],
    revokedVisitors: { a: ["v1"] },
    visitorKey: "secret",
  });
  assert.deepEqual(await lists.take(), ["a", "b"]);
  await manager.stop();
  clock.advance(day);
  assert.deepEqual(await lists.take(), ["b"]);
  clock.advance(29 * day);
  assert.deepEqual(await lists.take(), []);
  assert.deepEqual(
    [await endings.take(), await endings.take(), await endings.take()],
    [["c revoked"], ["c revoked", "a expired"], ["c revoked", "a expired", "b expired"]],
  );
  controller.abort();
  client.close();
});

test("routing keys come before their table, again only when they changed, and none means open mode", async () => {
  await using manager = await startFakeManager();
  using observed = observe(manager);
  const watch = await manager.nextTableWatch();
  const signed: RoutingKeys = { mode: "signed", environment: "test", publicKeys: { k1: "PEM" } };
  const replaced: RoutingKeys = { ...signed, publicKeys: { k1: "PEM", k2: "PEM" } };
  for (const [index, keys] of [signed, signed, replaced, undefined].entries()) {
    watch.send({ kind: "snapshot", table: tableOf({ revision: index + 1 }), leases: {}, keys });
    await observed.tables.take();
  }
  assert.deepEqual(observed.order, [
    ...["signed k1", "table 1", "table 2"],
    ...["signed k1 k2", "table 3", "open", "table 4"],
  ]);
});

test("a gateway gets the routing keys with its previews", async () => {
  await using manager = await startFakeManager();
  using observed = observe(manager);
  const gateway: GatewayInfo = { id: "g", previewUrl: "http://{slug}.localhost/", url: "http://127.0.0.1/" };
  const controller = new AbortController();
  const seen = new Queue<string>();
  const client = createManagerClient({ url: manager.url, service: "gateway" });
  watchPreviews({
    client,
    gateway,
    clock: observed.clock,
    signal: controller.signal,
    onKeys: ({ mode }) => seen.put(mode),
    onChange: () => seen.put("list"),
  });
  const watch = await manager.nextPreviewWatch();
  watch.send({
    kind: "snapshot",
    previews: [],
    keys: { mode: "signed", environment: "test", publicKeys: {} },
  });
  assert.deepEqual([await seen.take(), await seen.take()], ["signed", "list"]);
  controller.abort();
  client.close();
});
