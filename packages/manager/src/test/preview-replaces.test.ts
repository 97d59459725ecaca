import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionGrant } from "@clew/control";
import { temporaryDirectory, until } from "@clew/testing";
import { createManualClock } from "../registry/test/manual-clock.ts";
import { GatewayObserver } from "./gateway-observer.ts";
import { type Fixture, startFixture } from "./manager-fixture.ts";

const leaseMs = 15_000;
const created = { route: "blue", owner: "alice", name: "demo" };

async function override(
  fixture: Fixture,
  { session, token }: SessionGrant,
  service: string,
  fork?: string,
): Promise<string> {
  const target =
    fork === undefined
      ? ({ kind: "tunnel", port: 4005 } as const)
      : ({ kind: "address", url: fork } as const);
  const request = { route: "blue", service, target };
  const { override: made } = await fixture.client.overrides.put({ session, token, override: request });
  return made.id;
}

/** Resolves once the gateway is told so, each as `service owner kind reachable`. */
function told(gateway: GatewayObserver, ...replaces: readonly string[]): Promise<unknown> {
  const shown = (): string[] =>
    (gateway.preview("demo")?.replaces ?? []).map(
      ({ service, owner, kind, reachable }) => `${service} ${owner} ${kind} ${reachable ? "there" : "away"}`,
    );
  return until(() => JSON.stringify(shown()) === JSON.stringify(replaces), {
    what: `the gateway is told: ${replaces.join(", ") || "nothing"}`,
  });
}

test("one preview carries intercepts and forks of several people, and says who is there", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await Promise.all([fixture.watch("pricing"), fixture.watch("orders")]);
  const gateway = new GatewayObserver(fixture);
  await client.previews.create(created);
  const [alice, bob] = await Promise.all(
    ["alice", "bob"].map((owner) => client.sessions.open({ owner, host: "laptop" })),
  );
  assert.ok(alice && bob);
  await override(fixture, alice, "pricing");
  await told(gateway, "pricing alice tunnel away");
  const tunnel = fixture.dial(alice);
  await told(gateway, "pricing alice tunnel there");
  await override(fixture, bob, "orders", "http://127.0.0.1:9103");
  await told(gateway, "orders bob address there", "pricing alice tunnel there");
  const { previews } = await client.previews.list({});
  assert.deepEqual(previews[0]?.replaces, gateway.preview("demo")?.replaces);

  await tunnel.close({ graceMs: 0 });
  await told(gateway, "orders bob address there", "pricing alice tunnel away");
});

test("what is ended on purpose is forgotten; what was lost is away until it is back, a manager's restart later too", async () => {
  await using folder = await temporaryDirectory();
  const clock = createManualClock();
  const first = await startFixture({ directory: folder.path, clock });
  await Promise.all([first.watch("pricing"), first.watch("orders")]);
  const gateway = new GatewayObserver(first);
  await first.client.previews.create({ ...created, expiresInMs: 86_400_000 });
  const alice = await first.client.sessions.open({ owner: "alice", host: "laptop" });
  const orders = await override(first, alice, "orders");
  await override(first, alice, "pricing");
  first.dial(alice);
  await told(gateway, "orders alice tunnel there", "pricing alice tunnel there");
  await first.client.overrides.delete({ id: orders });
  await told(gateway, "pricing alice tunnel there");
  await first[Symbol.asyncDispose]();

  await using second = await startFixture({ directory: folder.path, clock });
  await second.watch("pricing");
  const later = new GatewayObserver(second);
  await told(later, "pricing alice tunnel away");
  clock.advance(leaseMs);
  await until(async () => (await second.client.sessions.list({})).sessions.length === 0);
  assert.deepEqual((await second.client.overrides.list({})).overrides, []);
  await told(later, "pricing alice tunnel away");

  const again = await second.client.sessions.open({ owner: "alice", host: "laptop" });
  await override(second, again, "pricing");
  second.dial(again);
  await told(later, "pricing alice tunnel there");
  await second.client.sessions.close(again);
  await told(later);
});

test("whoever replaces a service now takes the place of one who was lost", async () => {
  await using fixture = await startFixture();
  const { client, clock } = fixture;
  await fixture.watch("pricing");
  const gateway = new GatewayObserver(fixture);
  await client.previews.create(created);
  const alice = await client.sessions.open({ owner: "alice", host: "laptop" });
  await override(fixture, alice, "pricing");
  await told(gateway, "pricing alice tunnel away");
  clock.advance(leaseMs);
  await until(async () => (await client.overrides.list({})).overrides.length === 0);
  await told(gateway, "pricing alice tunnel away");
  const bob = await client.sessions.open({ owner: "bob", host: "desk" });
  await override(fixture, bob, "pricing", "http://127.0.0.1:9105");
  await told(gateway, "pricing bob address there");
});

test("a change of a route without a preview tells gateways nothing", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await fixture.watch("pricing");
  const gateway = new GatewayObserver(fixture);
  await client.previews.create({ ...created, route: "red" });
  const alice = await client.sessions.open({ owner: "alice", host: "laptop" });
  await gateway.when(({ previews }) => previews.length === 1, "the preview is known");
  const before = gateway.events.length;
  await override(fixture, alice, "pricing");
  await client.previews.create({ ...created, route: "red", banner: false });
  await gateway.when(({ previews: [preview] }) => preview?.banner === false, "the next change is known");
  assert.equal(gateway.events.length, before + 1);
});
