import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { OverrideGrant, SessionGrant } from "@clew/control";
import { startEtcd, type TestEtcd, until } from "@clew/testing";
import { createEtcdRegistry } from "../registry/etcd.ts";
import { GatewayObserver } from "./gateway-observer.ts";
import { type Fixture, startFixture } from "./manager-fixture.ts";

let etcd: TestEtcd;
before(async () => {
  etcd = await startEtcd();
});
after(() => etcd[Symbol.asyncDispose]());

/** Two managers, each with a connection of its own to the one etcd. */
async function startPair(
  prefix: string,
  limits = {},
): Promise<{ one: Fixture; two: Fixture } & AsyncDisposable> {
  const registries = await Promise.all(
    [0, 1].map(() => createEtcdRegistry({ endpoints: [etcd.url], prefix })),
  );
  const [one, two] = (await Promise.all(
    registries.map((registry) => startFixture({ registry, limits })),
  )) as [Fixture, Fixture];
  return {
    one,
    two,
    async [Symbol.asyncDispose]() {
      await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
      await Promise.all(registries.map((registry) => registry.close()));
    },
  };
}

function put({ client }: Fixture, grant: SessionGrant, route: string): Promise<OverrideGrant> {
  const target = { kind: "tunnel", port: 4005 } as const;
  return client.overrides.put({ ...grant, override: { route, service: "pricing", target } });
}

test("two managers over one etcd let one of two creations pass, and show their agents the same table", async () => {
  await using pair = await startPair("/race");
  const { one, two } = pair;
  const agents = [await one.watch("pricing"), await two.watch("pricing")] as const;
  const alice = await one.client.sessions.open({ owner: "alice", host: "laptop" });
  const bob = await two.client.sessions.open({ owner: "bob", host: "laptop" });
  const routes = Array.from({ length: 10 }, (_, index) => `route-${index}`);
  const results = await Promise.allSettled(
    routes.flatMap((route) => [put(one, alice, route), put(two, bob, route)]),
  );
  const refusals = results.filter((result) => result.status === "rejected");
  assert.deepEqual(
    refusals.map(({ reason }) => reason.code),
    Array(10).fill("E_ROUTE_TAKEN"),
  );
  const [first, second] = await Promise.all(
    agents.map((agent) => agent.when(({ overrides }) => overrides.length === 10)),
  );
  const sorted = (table: typeof first) =>
    [...(table?.overrides ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
  assert.deepEqual(sorted(first), sorted(second));
  assert.equal(first?.revision, second?.revision);

  await two.client.sessions.close(alice);
  await Promise.all(
    agents.map((agent) => agent.when(({ overrides }) => overrides.every(({ owner }) => owner === "bob"))),
  );
});

test("a lease that ends in etcd takes the session's overrides from every manager's agents", async () => {
  await using pair = await startPair("/lease", { sessionLeaseMs: 1_000 });
  const { one, two } = pair;
  const agent = await two.watch("pricing");
  const alice = await one.client.sessions.open({ owner: "alice", host: "laptop" });
  await until(async () => (await two.client.services.list({})).services.length === 1);
  await until(() => put(one, alice, "blue"));
  await agent.when(({ overrides }) => overrides.length === 1);
  await agent.when(({ overrides }) => overrides.length === 0);
  assert.deepEqual((await two.client.sessions.list({})).sessions, []);
});

test("a preview made at one manager is known at the other, with its visitors, its ending and the secret for cookies", async () => {
  await using pair = await startPair("/previews", { visitWriteMs: 50 });
  const { one, two } = pair;
  const gateways = [new GatewayObserver(one), new GatewayObserver(two)] as const;
  await one.client.previews.create({ route: "blue", owner: "alice", name: "demo" });
  const told = await Promise.all(
    gateways.map((gateway) => gateway.when(({ previews }) => previews.length === 1, "the preview is known")),
  );
  assert.equal(told[0]?.visitorKey?.length, 43);
  assert.equal(told[0]?.visitorKey, told[1]?.visitorKey);

  const visit = { slug: "demo", at: 1, path: "/" };
  await one.client.previews.visits({ visits: [{ ...visit, visitor: "v1" }] });
  await two.client.previews.visits({
    visits: [
      { ...visit, visitor: "v2" },
      { ...visit, visitor: "v1" },
    ],
  });
  await until(
    async () => {
      const { visitors } = await one.client.previews.show({ slug: "demo" });
      const found = visitors.map(({ visitor, visits }) => `${visitor} ${visits}`).toSorted();
      return found.join() === "v1 2,v2 1";
    },
    { what: "each manager's visits are counted together" },
  );
  await two.client.previews.revokeVisitor({ slug: "demo", visitor: "v1" });
  await gateways[0].when(({ revokedVisitors }) => revokedVisitors?.["demo"]?.join() === "v1", "v1 is out");
  await two.client.previews.revoke({ slug: "demo" });
  await gateways[0].when(({ ended }) => ended?.[0]?.how === "revoked", "the ending is known");
});

test("managers go on after etcd was killed and came back", async () => {
  await using pair = await startPair("/restart");
  const { one, two } = pair;
  const agent = await two.watch("pricing");
  const alice = await one.client.sessions.open({ owner: "alice", host: "laptop" });
  await until(() => put(one, alice, "before"));
  await agent.when(({ overrides }) => overrides.length === 1);
  await etcd.kill();
  await assert.rejects(put(one, alice, "during"), { retryable: true });
  assert.equal((await one.client.overrides.list({})).overrides.length, 1);
  await etcd.restart();
  await until(() => put(one, alice, "after"), { what: "an override can be made again" });
  await agent.when(({ overrides }) => overrides.some(({ route }) => route === "after"));
});
