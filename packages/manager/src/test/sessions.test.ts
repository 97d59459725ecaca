import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionGrant, SessionInfo } from "@clew/control";
import { temporaryDirectory, until } from "@clew/testing";
import { createManualClock } from "../registry/test/manual-clock.ts";
import { codeOf, type Fixture, startFixture } from "./manager-fixture.ts";

const alice = { owner: "alice", host: "laptop" };
const toPort = (port: number) => ({ kind: "tunnel" as const, port });

async function only({ client }: Fixture): Promise<SessionInfo | undefined> {
  return (await client.sessions.list({})).sessions[0];
}

function connected(fixture: Fixture): Promise<unknown> {
  const isFresh = (info: SessionInfo | undefined) =>
    info?.state === "connected" && info.leaseRemainingMs === 15_000;
  return until(async () => isFresh(await only(fixture)), {
    what: "the session is connected, with a full lease",
  });
}

function intercept(
  { client }: Fixture,
  { session, token }: SessionGrant,
  route = "alice",
): ReturnType<typeof client.overrides.put> {
  return client.overrides.put({
    session,
    token,
    override: { route, service: "pricing", target: toPort(4005) },
  });
}

test("a session lives from sign to sign, and all that it has ends with its lease", async () => {
  await using fixture = await startFixture();
  const { client, clock } = fixture;
  const agent = await fixture.watch("pricing");
  const grant = await client.sessions.open(alice);
  assert.deepEqual([grant.epoch, grant.leaseMs, grant.token.length], [1, 15_000, 43]);
  await intercept(fixture, grant);
  assert.deepEqual(
    (await agent.when(({ overrides }) => overrides.length === 1)).overrides[0]?.owner,
    "alice",
  );
  assert.deepEqual(await only(fixture), {
    id: grant.session,
    ...alice,
    openedAt: Date.UTC(2026, 0, 1),
    state: "away",
    leaseRemainingMs: 15_000,
  });

  clock.advance(10_000);
  assert.equal((await only(fixture))?.leaseRemainingMs, 5_000);
  fixture.dial(grant);
  await connected(fixture);
  clock.advance(14_999);
  assert.equal((await only(fixture))?.leaseRemainingMs, 1);
  assert.equal((await agent.table).overrides.length, 1);

  clock.advance(1);
  await agent.when(({ overrides }) => overrides.length === 0);
  assert.equal(await only(fixture), undefined);
  assert.deepEqual(await client.overrides.list({}), { overrides: [] });
  assert.equal(await codeOf(client.sessions.resume(grant)), "E_SESSION_UNKNOWN");
  assert.equal(await codeOf(intercept(fixture, grant)), "E_SESSION_UNKNOWN");
});

test("a developer whose connection ends is away at once, and agents are told whose lease goes on", async () => {
  await using fixture = await startFixture();
  const grant = await fixture.client.sessions.open(alice);
  const tunnel = fixture.dial(grant);
  await connected(fixture);
  await tunnel.close({ graceMs: 0 });
  await until(async () => (await only(fixture))?.state === "away", { what: "the session is away" });
});

test("resuming gives the next epoch and a full lease; the older epoch cannot dial any more", async () => {
  await using fixture = await startFixture();
  const first = await fixture.client.sessions.open(alice);
  fixture.clock.advance(12_000);
  const second = await fixture.client.sessions.resume(first);
  assert.deepEqual(second, { ...first, epoch: 2 });
  assert.equal((await only(fixture))?.leaseRemainingMs, 15_000);
  const stale = fixture.dial(first);
  const reason = await until(() => stale.state.phase === "waiting" && stale.state.reason, {
    what: "the dial is refused",
  });
  assert.match(reason, /was resumed since/);
  fixture.dial(second);
  await connected(fixture);
});

test("a resumed session's agents learn of the longer lease without waiting for the next refresh", async () => {
  await using fixture = await startFixture({ limits: { leaseRefreshMs: 60_000 } });
  const agent = await fixture.watch("pricing");
  const grant = await fixture.client.sessions.open(alice);
  await intercept(fixture, grant);
  fixture.clock.advance(14_000);
  await fixture.client.sessions.resume(grant);
  await until(() => agent.events.at(-1)?.kind === "leases", { what: "leases are sent" });
  assert.deepEqual(agent.leases, { [grant.session]: 15_000 });
});

test("another's token neither resumes nor closes a session, nor writes its overrides", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  await fixture.watch("pricing");
  const { session } = await client.sessions.open(alice);
  const { token } = await client.sessions.open({ owner: "mallory", host: "elsewhere" });
  const forged = { session, token };
  assert.equal(await codeOf(client.sessions.resume(forged)), "E_SESSION_TOKEN");
  assert.equal(await codeOf(client.sessions.close(forged)), "E_SESSION_TOKEN");
  assert.equal(await codeOf(intercept(fixture, { ...forged, epoch: 1, leaseMs: 1 })), "E_SESSION_TOKEN");
  assert.equal((await client.sessions.list({})).sessions.length, 2);
});

test("closing a session removes its overrides, rules and connection at once", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const agent = await fixture.watch("pricing");
  const grant = await client.sessions.open(alice);
  const tunnel = fixture.dial(grant);
  await connected(fixture);
  await intercept(fixture, grant);
  const conditions = [{ on: "header", name: "X-Beta", equals: "1" }] as const;
  await client.rules.put({ ...grant, rule: { service: "pricing", target: toPort(4005), conditions } });
  assert.equal((await agent.when(({ rules }) => rules.length === 1)).rules[0]?.conditions[0]?.name, "x-beta");

  await client.sessions.close(grant);
  assert.deepEqual(await client.overrides.list({}), { overrides: [] });
  assert.deepEqual(await client.rules.list({}), { rules: [] });
  const table = await agent.when(({ overrides }) => overrides.length === 0);
  assert.equal(table.rules.length, 0, "override and rule go in one delta");
  await until(() => tunnel.state.phase !== "connected", { what: "the tunnel is ended" });
});

test("no more sessions than the limit, and the refusal names it", async () => {
  await using fixture = await startFixture({ limits: { maxSessions: 1 } });
  await fixture.client.sessions.open(alice);
  await assert.rejects(fixture.client.sessions.open(alice), { code: "E_LIMIT", message: /maxSessions/ });
});

test("a restart keeps sessions, overrides, previews and services, and gives each session a full lease", async () => {
  await using directory = await temporaryDirectory();
  const clock = createManualClock();
  const before = await startFixture({ directory: directory.path, clock });
  await before.watch("pricing");
  const grant = await before.client.sessions.open(alice);
  before.dial(grant);
  await connected(before);
  const { override } = await intercept(before, grant);
  const { preview } = await before.client.previews.create({ route: "alice", owner: "alice" });
  clock.advance(10_000);
  const { host, port } = before.manager.address;
  await before[Symbol.asyncDispose]();

  clock.advance(20_000);
  await using after = await startFixture({ directory: directory.path, clock, listen: { host, port } });
  const info = await until(async () => (await only(after))?.state === "away" && only(after), {
    what: "away",
  });
  assert.deepEqual([info.id, info.leaseRemainingMs], [grant.session, 15_000]);
  assert.deepEqual(await after.client.overrides.list({}), { overrides: [override] });
  const { remainingMs } = (await after.client.previews.show(preview)).preview;
  assert.equal(remainingMs, 24 * 3_600_000 - 30_000);
  const { name, agents } = await after.client.services.describe({ service: "pricing" });
  assert.deepEqual([name, agents], ["pricing", 0]);
  const resumed = await after.client.sessions.resume(grant);
  assert.equal(resumed.epoch, 2);
  after.dial(resumed);
  await connected(after);
});
