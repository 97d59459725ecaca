import assert from "node:assert/strict";
import { test } from "node:test";
import type { OverrideGrant, OverrideRequest, RuleRequest, SessionGrant } from "@clew/control";
import { until } from "@clew/testing";
import { createMemoryRegistry } from "../registry/memory.ts";
import { createManualClock } from "../registry/test/manual-clock.ts";
import { codeOf, type Fixture, startFixture } from "./manager-fixture.ts";

const target = { kind: "tunnel", port: 4005 } as const;
const pricing: OverrideRequest = { route: "blue", service: "pricing", target };

function open({ client }: Fixture, owner: string): Promise<SessionGrant> {
  return client.sessions.open({ owner, host: `${owner}s-laptop` });
}

function put(
  fixture: Fixture,
  by: SessionGrant,
  changes: Partial<OverrideRequest> = {},
  takeover?: boolean,
): Promise<OverrideGrant> {
  const { session, token } = by;
  return fixture.client.overrides.put({ session, token, override: { ...pricing, ...changes }, takeover });
}

/** A developer whose tunnel stands. */
async function connect(fixture: Fixture, owner: string): Promise<SessionGrant> {
  const grant = await open(fixture, owner);
  fixture.dial(grant);
  await until(async () => {
    const { sessions } = await fixture.client.sessions.list({});
    return sessions.some(({ id, state }) => id === grant.session && state === "connected");
  });
  return grant;
}

test("an override gets the only port, the relay to reach it by, and a key that selects its route", async () => {
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  const alice = await open(fixture, "alice");
  const { override, key } = await put(fixture, alice);
  const { host, port } = fixture.manager.address;
  assert.deepEqual(override, {
    id: override.id,
    route: "blue",
    service: "pricing",
    port: "http",
    target: { ...target, session: alice.session, relay: `${host}:${port}` },
    owner: "alice",
    session: alice.session,
    createdAt: override.createdAt,
    onFailure: "live",
  });
  assert.equal(key, "blue");
  assert.deepEqual((await fixture.client.overrides.list({ route: "blue" })).overrides, [override]);
  assert.deepEqual((await fixture.client.overrides.list({ service: "orders" })).overrides, []);
});

test("put again by the same session changes the override in its place", async () => {
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  const alice = await open(fixture, "alice");
  const first = await put(fixture, alice);
  fixture.clock.advance(1_000);
  const second = await put(fixture, alice, {
    target: { kind: "address", url: "http://127.0.0.1:9101/" },
    onFailure: "error",
  });
  const { id, createdAt } = first.override;
  assert.deepEqual(second.override, {
    ...first.override,
    id,
    createdAt,
    target: { kind: "address", url: "http://127.0.0.1:9101" },
    onFailure: "error",
  });
  assert.equal((await fixture.client.overrides.list({})).overrides.length, 1);
});

test("a route that somebody uses is refused with whose it is, since when, and the ways out", async () => {
  await using fixture = await startFixture({ limits: { sessionLeaseMs: 3_600_000 } });
  await fixture.watch("pricing");
  const alice = await connect(fixture, "alice");
  const { override } = await put(fixture, alice);
  fixture.clock.advance(12 * 60_000);
  const bob = await open(fixture, "bob");
  const refusal = {
    code: "E_ROUTE_TAKEN",
    status: 409,
    message: "Route blue of pricing (port http) is taken: alice has had it for 12 minutes, and is connected.",
    details: { override: override.id, owner: "alice", since: override.createdAt, idle: false },
  };
  await assert.rejects(put(fixture, bob), {
    ...refusal,
    hint: "Choose another route name, ask alice to leave it, or take it over with --takeover, which is allowed once alice is away.",
  });
  await assert.rejects(put(fixture, bob, {}, true), refusal);
  await put(fixture, bob, { route: "bob" });
  assert.equal((await fixture.client.overrides.list({})).overrides.length, 2);
});

test("takeover is allowed from who is away, is recorded, and agents never see both or none", async () => {
  await using fixture = await startFixture();
  const agent = await fixture.watch("pricing");
  const alice = await open(fixture, "alice");
  const { override: taken } = await put(fixture, alice);
  const bob = await open(fixture, "bob");
  await assert.rejects(put(fixture, bob), {
    code: "E_ROUTE_TAKEN",
    message: /alice is away|is away/,
    hint: /take it over with --takeover\.$/,
  });
  const { override } = await put(fixture, bob, {}, true);
  const { overrides } = await agent.when((table) => table.overrides[0]?.owner === "bob");
  assert.deepEqual(overrides, [override]);
  const delta = agent.events.at(-1);
  assert.deepEqual(delta?.kind === "delta" && [delta.removed, delta.putOverrides], [[taken.id], [override]]);
  const recorded = fixture.log.find(({ event }) => event === "override.takeover");
  assert.deepEqual(
    [recorded?.["takenFrom"], recorded?.["by"], recorded?.["taken"]],
    ["alice", "bob", taken.id],
  );
});

test("the same owner may take over from a session of theirs that is still connected", async () => {
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  await put(fixture, await connect(fixture, "alice"));
  const again = await open(fixture, "alice");
  assert.equal(await codeOf(put(fixture, again)), "E_ROUTE_TAKEN");
  assert.equal((await put(fixture, again, {}, true)).override.session, again.session);
});

test("what one's own machine left behind when it was cut off is replaced without being asked for", async () => {
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  const { override: leftBehind } = await put(fixture, await open(fixture, "alice"));
  const { override } = await put(fixture, await open(fixture, "alice"));
  assert.notEqual(override.id, leftBehind.id);
  assert.deepEqual((await fixture.client.overrides.list({})).overrides, [override]);
});

test("of many managers' creations of one route at once exactly one passes", async () => {
  const clock = createManualClock();
  const registry = await createMemoryRegistry({ clock });
  {
    await using one = await startFixture({ registry, clock });
    await using two = await startFixture({ registry, clock });
    await one.watch("pricing");
    await two.watch("pricing");
    for (const route of ["red", "green", "blue"]) {
      const by = [one, two, one, two, one, two, one, two];
      const grants = await Promise.all(by.map((fixture, index) => open(fixture, `dev-${index}`)));
      const results = await Promise.allSettled(
        grants.map((grant, index) => put(by[index] as Fixture, grant, { route })),
      );
      const refusals = results.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
      assert.deepEqual(
        refusals.map(({ reason }) => reason.code),
        Array(7).fill("E_ROUTE_TAKEN"),
      );
      for (const { client } of [one, two]) {
        await until(async () => (await client.overrides.list({ route })).overrides.length === 1);
      }
    }
  }
  await registry.close();
});

test("what cannot be is refused by name: service, port, route, target", async () => {
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  await fixture.watch("gateway", ["http", "admin"]);
  const alice = await open(fixture, "alice");
  await assert.rejects(put(fixture, alice, { service: "prcing" }), {
    code: "E_SERVICE_UNKNOWN",
    message: /Did you mean "pricing"\?/,
    hint: /gateway, pricing/,
  });
  await assert.rejects(put(fixture, alice, { port: "grpc" }), { code: "E_PORT_UNKNOWN", hint: /http/ });
  await assert.rejects(put(fixture, alice, { service: "gateway" }), {
    code: "E_PORT_UNKNOWN",
    message: /2 ports/,
  });
  assert.equal((await put(fixture, alice, { service: "gateway", port: "admin" })).override.port, "admin");
  assert.equal(await codeOf(put(fixture, alice, { route: "Not A Route" })), "E_ROUTE_NAME");
  const url = (text: string) => ({ target: { kind: "address", url: text } as const });
  assert.equal(await codeOf(put(fixture, alice, url("http://example.com"))), "E_TARGET_EXTERNAL");
  assert.equal(await codeOf(put(fixture, alice, url("https://127.0.0.1"))), "E_TARGET_INVALID");
  assert.equal(await codeOf(put(fixture, alice, url("http://127.0.0.1/path"))), "E_TARGET_INVALID");
});

test("a session has no more overrides and rules than the limit", async () => {
  await using fixture = await startFixture({ limits: { maxOverridesPerSession: 2 } });
  await fixture.watch("pricing");
  const alice = await open(fixture, "alice");
  await put(fixture, alice, { route: "one" });
  await put(fixture, alice, { route: "two" });
  await put(fixture, alice, { route: "two" });
  assert.equal(await codeOf(put(fixture, alice, { route: "three" })), "E_LIMIT");
});

test("a session deletes only its own override; an operator any", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await fixture.watch("pricing");
  const { override } = await put(fixture, await open(fixture, "alice"));
  const bob = await open(fixture, "bob");
  const { session, token } = bob;
  assert.equal(
    await codeOf(client.overrides.delete({ session, token, id: override.id })),
    "E_OVERRIDE_UNKNOWN",
  );
  await client.overrides.delete({ id: override.id });
  assert.deepEqual((await client.overrides.list({})).overrides, []);
  assert.equal(await codeOf(client.overrides.delete({ id: override.id })), "E_OVERRIDE_UNKNOWN");
});

test("rules conflict when one request could match both, and differ by an exact value otherwise", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const agent = await fixture.watch("pricing");
  const alice = await open(fixture, "alice");
  const bob = await open(fixture, "bob");
  const tenant = (equals: string): RuleRequest => ({
    service: "pricing",
    target,
    conditions: [{ on: "field", name: "tenant_id", equals }],
  });
  const { rule } = await client.rules.put({ ...alice, rule: tenant("acme") });
  assert.deepEqual([rule.owner, rule.priority, rule.override.route], ["alice", 0, `rule-${rule.id}`]);
  assert.deepEqual((await client.rules.put({ ...alice, rule: tenant("acme") })).rule, rule);
  await client.rules.put({ ...bob, rule: tenant("globex") });
  await assert.rejects(client.rules.put({ ...bob, rule: tenant("acme") }), {
    code: "E_RULE_CONFLICT",
    message: new RegExp(`rule ${rule.id} as well: alice has had it`),
    hint: /--priority/,
  });
  await client.rules.put({ ...bob, rule: { ...tenant("acme"), priority: 1 } });
  await agent.when(({ rules }) => rules.length === 3);
  const pattern = { ...tenant(""), conditions: [{ on: "path", pattern: "(" }] } as const;
  assert.equal(await codeOf(client.rules.put({ ...bob, rule: pattern })), "E_PATTERN_INVALID");

  await client.rules.delete({ id: rule.id });
  assert.deepEqual(
    (await client.rules.list({ service: "pricing" })).rules.map(({ owner }) => owner),
    ["bob", "bob"],
  );
  assert.equal(await codeOf(client.rules.delete({ id: rule.id })), "E_OVERRIDE_UNKNOWN");
});
