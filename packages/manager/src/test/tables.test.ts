import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "@clew/testing";
import { createMemoryRegistry } from "../registry/memory.ts";
import { createManualClock } from "../registry/test/manual-clock.ts";
import { startFixture } from "./manager-fixture.ts";

const target = { kind: "tunnel", port: 4005 } as const;
const wide = { maxOverridesPerSession: 200 };

test("every watcher comes to the same table through 100 writes at once, with no gap between deltas", async () => {
  const clock = createManualClock();
  const registry = await createMemoryRegistry({ clock });
  {
    await using one = await startFixture({ registry, clock, limits: wide });
    await using two = await startFixture({ registry, clock, limits: wide });
    const agents = await Promise.all([one.watch("pricing"), one.watch("pricing"), two.watch("pricing")]);
    const grant = await one.client.sessions.open({ owner: "alice", host: "laptop" });
    const grants = await Promise.all(
      Array.from({ length: 100 }, (_, index) => {
        const { client } = index % 2 === 0 ? one : two;
        return client.overrides.put({
          ...grant,
          override: { route: `r-${index}`, service: "pricing", target },
        });
      }),
    );
    await Promise.all(
      grants
        .filter((_, index) => index % 3 === 0)
        .map(({ override: { id } }) => one.client.overrides.delete({ id })),
    );
    const { overrides } = await one.client.overrides.list({});
    assert.equal(overrides.length, 66);
    for (const agent of agents) {
      const table = await agent.when(
        (known) =>
          known.overrides.length === 66 &&
          known.overrides.every(({ route }) => Number(route.slice(2)) % 3 !== 0),
      );
      assert.deepEqual(
        [...table.overrides].sort((a, b) => (a.id < b.id ? -1 : 1)),
        [...overrides].sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
      const deltas = agent.events.filter((event) => event.kind === "delta");
      for (const { previous, revision } of deltas) assert.ok(revision > previous);
    }
  }
  await registry.close();
});

test("a table holds what is its service's and nothing else, and says nothing when another one changes", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const pricing = await fixture.watch("pricing");
  const orders = await fixture.watch("orders");
  const grant = await client.sessions.open({ owner: "alice", host: "laptop" });
  await client.overrides.put({ ...grant, override: { route: "alice", service: "orders", target } });
  await client.overrides.put({ ...grant, override: { route: "alice", service: "pricing", target } });
  await pricing.when(({ overrides }) => overrides.length === 1);
  await orders.when(({ overrides }) => overrides.length === 1);
  assert.deepEqual(
    pricing.events.map(({ kind }) => kind),
    ["snapshot", "delta"],
  );
});

test("leases are sent again and again as remaining time", async () => {
  await using fixture = await startFixture({ limits: { leaseRefreshMs: 20 } });
  const { client, clock } = fixture;
  const agent = await fixture.watch("pricing");
  const grant = await client.sessions.open({ owner: "alice", host: "laptop" });
  await client.overrides.put({ ...grant, override: { route: "alice", service: "pricing", target } });
  clock.advance(4_000);
  await until(() => agent.leases[grant.session] === 11_000, { what: "11 s are left" });
});

test("a session that is resumed at another manager is reached through that one's relay", async () => {
  const clock = createManualClock();
  const registry = await createMemoryRegistry({ clock });
  {
    await using one = await startFixture({ registry, clock, advertise: "one:7400" });
    await using two = await startFixture({ registry, clock, advertise: "two:7400" });
    const agent = await one.watch("pricing");
    const grant = await one.client.sessions.open({ owner: "alice", host: "laptop" });
    await one.client.overrides.put({ ...grant, override: { route: "alice", service: "pricing", target } });
    const relayOf = ({ overrides: [override] }: Awaited<typeof agent.table>) =>
      override?.target.kind === "tunnel" && override.target.relay;
    await agent.when((table) => relayOf(table) === "one:7400");
    two.dial(await two.client.sessions.resume(grant));
    await agent.when((table) => relayOf(table) === "two:7400");
    await until(async () => (await one.client.sessions.list({})).sessions[0]?.state === "connected", {
      what: "the other manager knows of the connection",
    });
  }
  await registry.close();
});

test("agents are counted while they watch, and a service that changed its ports is known by the new ones", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await fixture.watch("pricing");
  await fixture.watch("pricing", ["http", "admin"]);
  const { agents, ports } = await client.services.describe({ service: "pricing" });
  assert.deepEqual([agents, Object.keys(ports)], [2, ["http", "admin"]]);
  const leaving = new AbortController();
  const agent = { id: "third", ports, env: {} };
  const watch = () => client.tables.watch({ service: "pricing", agent }, { signal: leaving.signal });
  for await (const event of watch()) {
    assert.equal(event.kind, "snapshot");
    assert.equal((await client.services.list({})).services[0]?.agents, 3);
    for await (const _ of watch()) {
      // The processes of one agent watch each for itself.
      assert.equal((await client.services.list({})).services[0]?.agents, 3);
      break;
    }
    leaving.abort();
  }
  await until(async () => (await client.services.describe({ service: "pricing" })).agents === 2);
});
