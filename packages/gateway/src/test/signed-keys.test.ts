import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createRoutingKeySigner } from "@clew/context/signing";
import type { RoutingKeys } from "@clew/control";
import { until } from "@clew/testing";
import { ask, createPreview, headerSeen, startFixture } from "./gateway-fixture.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const keys: RoutingKeys = {
  mode: "signed",
  environment: "test",
  publicKeys: { k1: publicKey.export({ type: "spki", format: "pem" }).toString() },
};

function sign(
  route: string,
  { environment = "test", expiresInMs = 3_600_000, by = privateKey } = {},
): string {
  const signer = createRoutingKeySigner({ environment, keyId: "k1", privateKey: by });
  return signer.sign(route, Date.now() + expiresInMs);
}

/** Where others can reach it, which needs a token. */
const exposed = { listen: { host: "0.0.0.0", port: 0 } };

test("wherever it listens, a signed key and its wish for an explanation come in, and are reported as such", async () => {
  for (const { host } of [{ host: "127.0.0.1" }, exposed.listen]) {
    await using fixture = await startFixture(
      { listen: { host, port: 0 }, accept: ["tenant_id"] },
      {},
      keys,
      "secret",
    );
    const key = sign("mine");
    const { seen } = await ask(fixture.port, { baggage: `tenant_id=a,clew-explain=n1,clew-route=${key}` });
    assert.deepEqual(headerSeen(seen, "baggage")?.split(",").sort(), [
      "clew-explain=n1",
      `clew-route=${key}`,
      "tenant_id=a",
    ]);
    const { nonce, reason, route } = await until(() => fixture.manager.reports[0]);
    assert.deepEqual([nonce, reason, route], ["n1", "route-elsewhere", "mine"]);
  }
});

test("a key that is plain, forged, moved to another route, foreign or expired is stripped, and the request goes on live", async () => {
  await using fixture = await startFixture({}, {}, keys);
  const [, ...rest] = sign("mine").split(".");
  const attacks = {
    plain: "mine",
    forged: sign("mine", { by: generateKeyPairSync("ed25519").privateKey }),
    moved: ["other", ...rest].join("."),
    foreign: sign("mine", { environment: "elsewhere" }),
    expired: sign("mine", { expiresInMs: -1_000 }),
  };
  for (const [name, key] of Object.entries(attacks)) {
    const { status, seen } = await ask(fixture.port, { baggage: `clew-route=${key},clew-explain=n1` });
    assert.deepEqual([status, headerSeen(seen, "baggage")], [200, undefined], name);
  }
  assert.deepEqual(fixture.manager.reports, []);
});

test("in open mode a plain key comes in through loopback alone; an older manager, which sends no keys, means open mode", async () => {
  const open: RoutingKeys = { mode: "open", environment: "test", publicKeys: {} };
  for (const told of [open, undefined]) {
    await using local = await startFixture({}, {}, told);
    const inside = await ask(local.port, { baggage: "clew-route=mine" });
    assert.equal(headerSeen(inside.seen, "baggage"), "clew-route=mine");
    await using reachable = await startFixture(exposed, {}, told, "secret");
    const outside = await ask(reachable.port, { baggage: "clew-route=mine,clew-explain=n1" });
    assert.equal(headerSeen(outside.seen, "baggage"), undefined);
  }
});

test("before the manager's first word nothing from outside is believed", async () => {
  await using fixture = await startFixture({ manager: { url: "http://127.0.0.1:1" } });
  for (const key of [sign("mine"), "mine"]) {
    const { seen } = await ask(fixture.port, { baggage: `clew-route=${key},clew-explain=n1` });
    assert.equal(headerSeen(seen, "baggage"), undefined);
  }
});

test("a preview's signed key is put in as it came, in place of any from outside", async () => {
  await using fixture = await startFixture({}, {}, keys);
  const key = sign("mine");
  fixture.manager.publish([{ ...createPreview("demo"), key }]);
  const host = "demo.preview.localhost";
  await until(async () => (await ask(fixture.port, { host })).status === 200);
  const { seen } = await ask(fixture.port, { host, baggage: `clew-route=${sign("other")}` });
  assert.equal(headerSeen(seen, "baggage"), `clew-route=${key}`);
});
