import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { RoutingKey } from "@clew/context";
import { createRoutingKeyVerifier } from "@clew/context/signing";
import type { RoutingKeys } from "@clew/control";
import { temporaryDirectory, until } from "@clew/testing";
import { createMemoryRegistry } from "../registry/memory.ts";
import { createManualClock } from "../registry/test/manual-clock.ts";
import { codeOf, epochMs, type Fixture, startFixture } from "./manager-fixture.ts";

const dayMs = 86_400_000;
const pairKey = "v1/keys/routing";
const gateway = { id: "g", previewUrl: "http://{slug}.localhost/", url: "http://127.0.0.1/" };

/** What an agent is told to believe, from each snapshot that it got. */
async function toldTo(fixture: Fixture, service = "pricing"): Promise<Array<RoutingKeys | undefined>> {
  const { events } = await fixture.watch(service);
  return events.flatMap((event) => (event.kind === "snapshot" ? [event.keys] : []));
}

/** What an agent makes of a key with what it is told, at a time. */
function read(keys: RoutingKeys | undefined, key: string, atMs = epochMs): RoutingKey {
  assert.equal(keys?.mode, "signed");
  return createRoutingKeyVerifier({ ...keys, now: () => atMs })(key);
}

test("an override's key is signed, selects its route, and is over after a day", async () => {
  await using fixture = await startFixture({ routingKeys: "signed" });
  const { client } = fixture;
  const [keys] = await toldTo(fixture);
  const session = await client.sessions.open({ owner: "ann", host: "laptop" });
  const override = { route: "ann", service: "pricing", target: { kind: "tunnel", port: 4005 } } as const;
  const { key, keyExpiresAt } = await client.overrides.put({ ...session, override });
  assert.equal(keyExpiresAt, epochMs + dayMs);
  assert.deepEqual(read(keys, key), { status: "valid", route: "ann" });
  assert.deepEqual(read(keys, key, epochMs + dayMs), { status: "expired", route: "ann" });
});

test("a key for any route is asked for, up to the named limit; in open mode it is the route", async () => {
  await using fixture = await startFixture({ routingKeys: "signed" });
  const [keys] = await toldTo(fixture);
  const { routes } = fixture.client;
  const { key, expiresAt } = await routes.key({ route: "demo", expiresInMs: 1_500 });
  assert.equal(expiresAt, epochMs + 2_000, "a second is the unit, and no key ends too early");
  assert.deepEqual(read(keys, key), { status: "valid", route: "demo" });
  assert.equal((await routes.key({ route: "demo" })).expiresAt, epochMs + dayMs);
  assert.equal(await codeOf(routes.key({ route: "not.a.route" })), "E_ROUTE_NAME");
  await assert.rejects(routes.key({ route: "demo", expiresInMs: 30 * dayMs + 1 }), {
    code: "E_LIMIT",
    message: /30 days \(routingKeyMaxMs\)/,
  });
  await using open = await startFixture();
  assert.deepEqual(await open.client.routes.key({ route: "demo" }), { key: "demo" });
  assert.deepEqual(await toldTo(open), [{ mode: "open", environment: "test", publicKeys: {} }]);
});

test("a preview's key lives as long as the preview, and a prolonged one has another", async () => {
  await using fixture = await startFixture({ routingKeys: "signed" });
  const { client } = fixture;
  const { preview } = await client.previews.create({ route: "ann", owner: "ann", expiresInMs: 3_600_000 });
  const watch = client.previews.watch({ gateway })[Symbol.asyncIterator]();
  const { value } = await watch.next();
  assert.equal(value.previews[0].key, preview.key, "asked twice, it is the same");
  assert.equal(read(value.keys, preview.key, preview.expiresAt - 1).status, "valid");
  assert.equal(read(value.keys, preview.key, preview.expiresAt).status, "expired");
  const { preview: longer } = await client.previews.extend({ ...preview, expiresInMs: 2 * dayMs });
  const [told] = (await watch.next()).value.previews;
  assert.equal(read(value.keys, told.key, longer.expiresAt - 1).status, "valid");
  await watch.return?.();
});

test("the key pair outlives the manager; its private key is told to nobody and never logged", async () => {
  await using folder = await temporaryDirectory();
  const options = { routingKeys: "signed", directory: folder.path } as const;
  const first = await startFixture(options);
  const { key } = await first.client.routes.key({ route: "ann" });
  const entry = await first.registry.get(pairKey);
  const secret = JSON.parse(entry?.value ?? "{}").privateKey.split("\n")[1];
  const watched = await first.watch("pricing");
  await first[Symbol.asyncDispose]();

  await using second = await startFixture(options);
  const [keys] = await toldTo(second);
  assert.equal(read(keys, key).status, "valid");
  const said = JSON.stringify([first.log, second.log, watched.events, keys]);
  assert.ok(secret.length > 40 && !said.includes(secret));
  assert.doesNotMatch(said, /PRIVATE/);
});

test("managers that start at once over one registry sign with the one pair", async () => {
  const clock = createManualClock();
  const registry = await createMemoryRegistry({ clock });
  const options = { registry, clock, routingKeys: "signed" } as const;
  const managers = await Promise.all([1, 2, 3].map(() => startFixture(options)));
  const told = await Promise.all(managers.map((manager, index) => toldTo(manager, `service-${index}`)));
  for (const { client } of managers) {
    const { key } = await client.routes.key({ route: "ann" });
    for (const [keys] of told) assert.equal(read(keys, key).status, "valid");
  }
  await Promise.all(managers.map((manager) => manager[Symbol.asyncDispose]()));
  await registry.close();
});

test("a pair that took the place of a lost one is told to agents and gateways at once", async () => {
  await using lost = await startFixture({ routingKeys: "signed" });
  await using other = await startFixture({ routingKeys: "signed" });
  const agent = await lost.watch("pricing");
  const watch = lost.client.previews.watch({ gateway })[Symbol.asyncIterator]();
  const before = (await watch.next()).value.keys;
  const pair = (await other.registry.get(pairKey))?.value ?? "";
  await lost.registry.put(pairKey, pair);
  const after = (await watch.next()).value.keys;
  await until(() =>
    agent.events.some((event) => event.kind === "snapshot" && isDeepStrictEqual(event.keys, after)),
  );
  const { key } = await lost.client.routes.key({ route: "ann" });
  assert.deepEqual([read(after, key).status, read(before, key).status], ["valid", "invalid"]);
  await watch.return?.();
});

test("a key of another environment is worth nothing, though the same pair signed it", async () => {
  await using folder = await temporaryDirectory();
  const options = { routingKeys: "signed", directory: folder.path } as const;
  const staging = await startFixture({ ...options, environment: "staging" });
  const { key } = await staging.client.routes.key({ route: "ann" });
  await staging[Symbol.asyncDispose]();
  await using fixture = await startFixture(options);
  assert.equal(read((await toldTo(fixture))[0], key).status, "invalid");
});

test("a pair that cannot be used stops the start, and one that comes later changes nothing; neither is quoted", async () => {
  const registry = await createMemoryRegistry();
  const secret = "MC4CAQAwBQYDK2VwBCIEIHhoc3RfbXlfc2VjcmV0";
  for (const value of [`{"privateKey":"${secret}`, JSON.stringify({ keyId: "k", privateKey: secret })]) {
    await registry.put(pairKey, value);
    await assert.rejects(startFixture({ registry, routingKeys: "signed" }), (error: unknown) => {
      const { code, message, cause } = error as Error & { code: string };
      assert.equal(code, "E_MANAGER_KEYS");
      assert.ok(!`${message} ${String(cause)}`.includes(secret.slice(0, 12)));
      return true;
    });
  }
  await registry.close();

  await using fixture = await startFixture({ routingKeys: "signed" });
  const [keys] = await toldTo(fixture);
  await fixture.registry.put(pairKey, `{"privateKey":"${secret}`);
  await until(() => fixture.log.some(({ event }) => event === "registry.record_fault"));
  const { key } = await fixture.client.routes.key({ route: "ann" });
  assert.equal(read(keys, key).status, "valid");
  assert.ok(!JSON.stringify(fixture.log).includes(secret.slice(0, 12)));
});
