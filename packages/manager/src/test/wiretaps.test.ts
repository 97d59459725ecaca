import assert from "node:assert/strict";
import { test } from "node:test";
import type { SessionGrant } from "@clew/control";
import { until } from "@clew/testing";
import { codeOf, type Fixture, startFixture } from "./manager-fixture.ts";

const target = { kind: "tunnel", port: 4005 } as const;
const all = { service: "pricing", target } as const;

const open = ({ client }: Fixture, owner: string): Promise<SessionGrant> =>
  client.sessions.open({ owner, host: owner });

test("a wiretap reaches the agents' table, of one route or of every request, and any number may copy the same", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const agent = await fixture.watch("pricing");
  const [ann, bob] = [await open(fixture, "ann"), await open(fixture, "bob")];
  const { wiretap } = await client.wiretaps.put({ ...ann, wiretap: all });
  assert.deepEqual([wiretap.route, wiretap.owner, wiretap.port], ["*", "ann", "http"]);
  await client.wiretaps.put({ ...bob, wiretap: all });
  await client.wiretaps.put({ ...bob, wiretap: { ...all, route: "demo" } });
  const { wiretaps } = await agent.when((table) => table.wiretaps.length === 3);
  assert.deepEqual(wiretaps.map(({ owner, route }) => `${owner} ${route}`).sort(), [
    "ann *",
    "bob *",
    "bob demo",
  ]);
  assert.ok(agent.leases[ann.session] !== undefined, "its lease is told");
});

test("put again by the same session changes its target; delete takes it away, by its session or an operator", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const agent = await fixture.watch("pricing");
  const [ann, bob] = [await open(fixture, "ann"), await open(fixture, "bob")];
  const { wiretap } = await client.wiretaps.put({ ...ann, wiretap: all });
  const again = await client.wiretaps.put({ ...ann, wiretap: { ...all, target: { ...target, port: 4006 } } });
  assert.deepEqual([again.wiretap.id, again.wiretap.target.kind], [wiretap.id, "tunnel"]);
  assert.equal((await client.wiretaps.list({})).wiretaps.length, 1);
  const { session, token } = bob;
  assert.equal(
    await codeOf(client.wiretaps.delete({ session, token, id: wiretap.id })),
    "E_OVERRIDE_UNKNOWN",
  );
  await client.wiretaps.delete({ id: wiretap.id });
  await agent.when((table) => table.wiretaps.length === 0);
});

test("a wiretap ends with its session", async () => {
  await using fixture = await startFixture();
  const { client } = fixture;
  const agent = await fixture.watch("pricing");
  const ann = await open(fixture, "ann");
  await client.wiretaps.put({ ...ann, wiretap: all });
  await agent.when((table) => table.wiretaps.length === 1);
  await client.sessions.close({ session: ann.session, token: ann.token });
  await agent.when((table) => table.wiretaps.length === 0);
  assert.equal(await codeOf(client.wiretaps.put({ ...ann, wiretap: all })), "E_SESSION_UNKNOWN");
});

test("agents' counts are summed, each agent's last word counts, and they go with the wiretap", async () => {
  await using fixture = await startFixture({ limits: { maxAgentsPerWiretap: 2 } });
  const { client } = fixture;
  await fixture.watch("pricing");
  const { wiretap } = await client.wiretaps.put({ ...(await open(fixture, "ann")), wiretap: all });
  const { id } = wiretap;
  const report = (agent: string, copied: number, dropped: number): Promise<unknown> =>
    client.wiretaps.report({ agent, wiretaps: [{ id, copied, dropped, lastDrop: "slow" }] });
  await report("one", 5, 0);
  await report("one", 7, 1);
  await report("two", 1, 2);
  await report("one too many", 100, 100);
  await client.wiretaps.report({ agent: "one", wiretaps: [{ id: "unknown", copied: 1, dropped: 1 }] });
  const { wiretaps } = await client.wiretaps.list({ service: "pricing" });
  assert.deepEqual(wiretaps, [{ wiretap, copied: 8, dropped: 3, lastDrop: "slow" }]);
  await client.wiretaps.delete({ id });
  await until(async () => (await client.wiretaps.list({})).wiretaps.length === 0);
});

test("what cannot be is refused by name", async () => {
  await using fixture = await startFixture({ limits: { maxOverridesPerSession: 1 } });
  const { client } = fixture;
  await fixture.watch("pricing");
  await fixture.watch("db", ["db"], "tcp");
  const ann = await open(fixture, "ann");
  const put = (wiretap: Parameters<typeof client.wiretaps.put>[0]["wiretap"]): Promise<unknown> =>
    client.wiretaps.put({ ...ann, wiretap });
  assert.equal(await codeOf(put({ ...all, service: "db" })), "E_PORT_TCP");
  assert.equal(await codeOf(put({ ...all, service: "prcing" })), "E_SERVICE_UNKNOWN");
  assert.equal(await codeOf(put({ ...all, route: "Not A Route" })), "E_ROUTE_NAME");
  assert.equal(await codeOf(put({ ...all, route: "*" })), "E_ROUTE_NAME");
  await put(all);
  await put(all);
  assert.equal(await codeOf(put({ ...all, route: "second" })), "E_LIMIT");
});
