import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createRoutingKeySigner } from "@clew/context/signing";
import { BelievedKeys, type RoutingKeys } from "@clew/control";
import type { RequestHead } from "@clew/proxy";
import { decide, indexTable, type Table } from "@clew/routing";
import { until } from "@clew/testing";
import { RoutedRequest } from "../routed-request.ts";
import { startAgent } from "../start-agent.ts";
import { ask, createLog, createOverride, type Fixture, portOf, startFixture } from "./agent-fixture.ts";

/** A key pair as a manager has it. */
function createPair(environment = "test", keyId = "k1") {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  return {
    keys: { mode: "signed", environment, publicKeys: { [keyId]: pem } } satisfies RoutingKeys,
    privateKey,
    sign: (route: string, expiresInMs = 3_600_000) =>
      createRoutingKeySigner({ environment, keyId, privateKey }).sign(route, Date.now() + expiresInMs),
  };
}

const pair = createPair();
const noOverrides: Table = { revision: 0, service: "orders", overrides: [], rules: [], wiretaps: [] };
const overridden = ({ mine }: Fixture) => [
  createOverride(mine),
  createOverride(mine, { id: "o2", route: "other" }),
];
const carry = (key: string): { baggage: string } => ({ baggage: `clew-route=${key}` });

/** An agent in signed mode that routes by a good key. */
async function startSigned(): Promise<Fixture> {
  const fixture = await startFixture({ limits: { reportIntervalMs: 1 } }, pair.keys);
  fixture.manager.publish({ overrides: overridden(fixture) });
  await until(async () => (await ask(fixture.port, carry(pair.sign("mine")))).by === "mine");
  return fixture;
}

test("a good key goes to its override and is explained; forged, foreign, moved and plain ones go live, untold", async () => {
  await using fixture = await startSigned();
  const { port } = fixture;
  const good = pair.sign("mine");
  const [route, expiry, keyId, signature] = good.split(".");
  const elsewhere = createRoutingKeySigner({
    environment: "elsewhere",
    keyId: "k1",
    privateKey: pair.privateKey,
  });
  const attacks = {
    "plain name": "mine",
    "signed by another key under the same id": createPair().sign("mine"),
    "unknown key id": createPair("test", "k2").sign("mine"),
    "made for another environment by the same key": elsewhere.sign("mine", Date.now() + 3_600_000),
    "moved to another route": `other.${expiry}.${keyId}.${signature}`,
    prolonged: `${route}.${Number(expiry) + 1}.${keyId}.${signature}`,
    "without signature": `${route}.${expiry}.${keyId}.`,
    "cut off": good.slice(0, -1),
    expired: pair.sign("mine", -1_000),
  };
  for (const [name, key] of Object.entries(attacks)) {
    const { by, headers } = await ask(port, { baggage: `clew-route=${key},clew-explain=n1` });
    assert.deepEqual([by, headers["clew-decision"]], ["live", undefined], name);
  }
  const explained = await ask(port, { baggage: `clew-route=${good},clew-explain=n2` });
  assert.equal(explained.by, "mine");
  assert.match(String(explained.headers["clew-decision"]), /reason=route;route="mine"/);
  const unkeyed = await ask(port, { baggage: "clew-explain=n3" });
  assert.deepEqual([unkeyed.by, unkeyed.headers["clew-decision"]], ["live", undefined]);
});

test("why a key is not believed is said: its time is over, or it is no key of this system", () => {
  const believed = new BelievedKeys({ plain: true });
  const decisionFor = (key: string) => {
    const baggage = `clew-route=${key},clew-explain=n1`;
    const header = (name: string) => (name === "baggage" ? baggage : undefined);
    const includes = (name: string, text: string) => header(name)?.includes(text) ?? false;
    const head = { method: "GET", path: "/", header, includes } as RequestHead;
    const request = new RoutedRequest(head, believed.mode);
    const { reason, route } = decide(request, indexTable(noOverrides, "http"));
    return [reason, route, request.explainNonce];
  };
  assert.deepEqual(decisionFor(pair.sign("mine")), ["key-invalid", undefined, undefined]);
  believed.use(pair.keys);
  assert.deepEqual(decisionFor(pair.sign("mine")), ["route-elsewhere", "mine", "n1"]);
  assert.deepEqual(decisionFor(pair.sign("mine", -1_000)), ["key-expired", "mine", undefined]);
  for (const key of ["mine", createPair().sign("mine")]) {
    assert.deepEqual(decisionFor(key), ["key-invalid", undefined, undefined]);
  }
});

test("the manager gone, a good key stays good and a forged one forged (I2)", async () => {
  await using fixture = await startSigned();
  await fixture.manager.stop();
  await until(() => fixture.logged.some(({ event }) => event === "agent.manager_lost"));
  assert.equal((await ask(fixture.port, carry(pair.sign("other")))).by, "mine");
  assert.equal((await ask(fixture.port, carry(createPair().sign("other")))).by, "live");
  assert.equal((await ask(fixture.port, carry("mine"))).by, "live");
});

test("an agent that starts while the manager is away believes no key, plain or signed, and tells nothing", async () => {
  await using fixture = await startSigned();
  const { manager, live } = fixture;
  await manager.stop();
  const { log, logged } = createLog();
  const again = await startAgent({
    service: "orders",
    ports: { http: portOf(live) },
    env: {},
    manager: { url: manager.url },
    log,
  });
  await until(() => logged.some(({ event }) => event === "agent.manager_lost"));
  for (const key of [pair.sign("mine"), "mine"]) {
    const { by, headers } = await ask(again.ports["http"]?.port ?? 0, {
      baggage: `clew-route=${key},clew-explain=n1`,
    });
    assert.deepEqual([by, headers["clew-decision"]], ["live", undefined]);
  }
  await again.close({ graceMs: 0 });
});

test("public keys that cannot be used make the agent believe none, and the live service answers", async (t) => {
  const warned = t.mock.method(process, "emitWarning", () => {});
  await using fixture = await startFixture({}, { ...pair.keys, publicKeys: { k1: "no PEM" } });
  fixture.manager.publish({ overrides: overridden(fixture) });
  await until(() => fixture.logged.some((line) => line.event === "agent.table" && line.overrides === 2));
  for (const key of [pair.sign("mine"), "mine"])
    assert.equal((await ask(fixture.port, carry(key))).by, "live");
  assert.equal(warned.mock.callCount(), 1);
});
