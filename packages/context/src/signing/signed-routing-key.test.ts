import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isClewError } from "@clew/errors";
import fc from "fast-check";
import { parseRoutingKey } from "../routing-key.ts";
import { createRoutingKeySigner, createRoutingKeyVerifier } from "./signed-routing-key.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const environment = "shop-dev";
const expiresAtMs = 2_000_000_000_000;
const signer = createRoutingKeySigner({ environment, keyId: "k1", privateKey });
const key = signer.sign("alice", expiresAtMs);

function verifierAt(now: number, publicKeys: Record<string, KeyObject | string> = { k1: publicKey }) {
  return createRoutingKeyVerifier({ environment, publicKeys, now: () => now });
}
const verify = verifierAt(expiresAtMs - 1);

function refused(code: string, act: () => unknown): void {
  assert.throws(act, (error) => isClewError(error) && error.code === code && error.hint !== undefined);
}

test("a signed key is valid until it expires, in open mode and out of it; a plain one in open mode alone", () => {
  for (const open of [true, false]) {
    assert.deepEqual(parseRoutingKey(key, { open, verify }), { status: "valid", route: "alice" });
    const late = verifierAt(expiresAtMs);
    assert.deepEqual(parseRoutingKey(key, { open, verify: late }), { status: "expired", route: "alice" });
  }
  assert.deepEqual(parseRoutingKey("alice", { open: true, verify }), { status: "open", route: "alice" });
  assert.deepEqual(parseRoutingKey("alice", { open: false, verify }), { status: "invalid" });
  assert.deepEqual(parseRoutingKey(key, { open: true }), { status: "invalid" }, "nobody verifies");
});

test("a key that was valid when it was remembered expires all the same", () => {
  let now = 0;
  const remembering = createRoutingKeyVerifier({
    environment,
    publicKeys: { k1: publicKey },
    now: () => now,
  });
  assert.equal(remembering(key).status, "valid");
  now = expiresAtMs;
  assert.equal(remembering(key).status, "expired");
});

test("a forged expiry is invalid and not expired", () => {
  assert.deepEqual(verify(key.replace("2000000000", "1000000000")), { status: "invalid" });
});

test("a key with any character changed, added or taken out is invalid", () => {
  const edit = fc.record({
    at: fc.nat({ max: key.length }),
    remove: fc.nat({ max: 1 }),
    insert: fc.string({ maxLength: 2, unit: fc.constantFrom("a", "B", "0", ".", "-", "_", "=", "é", " ") }),
  });
  fc.assert(
    fc.property(edit, ({ at, remove, insert }) => {
      const edited = key.slice(0, at) + insert + key.slice(at + remove);
      fc.pre(edited !== key);
      assert.deepEqual(verify(edited), { status: "invalid" });
    }),
    { numRuns: 300 },
  );
});

test("a key of another environment, of an unknown or another key, or of no key at all is invalid", () => {
  const other = generateKeyPairSync("ed25519");
  const elsewhere = createRoutingKeySigner({ environment: "shop-prod", keyId: "k1", privateKey });
  assert.equal(verify(elsewhere.sign("alice", expiresAtMs)).status, "invalid");
  assert.equal(verifierAt(0, { k1: other.publicKey })(key).status, "invalid");
  assert.equal(verifierAt(0, { k2: publicKey })(key).status, "invalid");
  assert.equal(verifierAt(0, {})(key).status, "invalid");
  assert.equal(verifierAt(0)(key.replace(".k1.", ".toString.")).status, "invalid");
});

test("a new key is accepted beside the old one, so that keys can be replaced", () => {
  const next = generateKeyPairSync("ed25519");
  const both = verifierAt(0, {
    k1: publicKey,
    k2: next.publicKey.export({ type: "spki", format: "pem" }).toString(),
  });
  const nextSigner = createRoutingKeySigner({ environment, keyId: "k2", privateKey: next.privateKey });
  assert.equal(both(key).status, "valid");
  assert.equal(both(nextSigner.sign("bob", expiresAtMs)).status, "valid");
});

test("keys that cannot be used are refused by code, a private one for verifying first of all", () => {
  const privatePem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  for (const wrong of [privatePem, privateKey, rsa.publicKey, "no key"]) {
    refused("E_SIGNING_KEY", () => verifierAt(0, { k1: wrong }));
  }
  refused("E_SIGNING_KEY", () => verifierAt(0, { "k.1": publicKey }));
  refused("E_SIGNING_KEY", () => createRoutingKeySigner({ environment, keyId: "k1", privateKey: publicKey }));
  refused("E_ROUTE_NAME", () => signer.sign("Alice", expiresAtMs));
  for (const never of [Number.NaN, -1, 0, Number.POSITIVE_INFINITY]) {
    refused("E_SIGNING_EXPIRY", () => signer.sign("alice", never));
  }
});

interface Vectors {
  privateKey: string;
  environment: string;
  keyId: string;
  now: number;
  cases: { title: string; key: string; status: string; route?: string }[];
}

test("the vectors for other languages hold", () => {
  const file = new URL("../../vectors/routing-keys.json", import.meta.url);
  const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
  const vectorKey = createPrivateKey(vectors.privateKey);
  const vectorSigner = createRoutingKeySigner({ ...vectors, privateKey: vectorKey });
  const vectorVerifier = createRoutingKeyVerifier({
    environment: vectors.environment,
    publicKeys: { [vectors.keyId]: createPublicKey(vectorKey) },
    now: () => vectors.now * 1000,
  });
  for (const { title, key: text, status, route } of vectors.cases) {
    assert.deepEqual(vectorVerifier(text), route === undefined ? { status } : { status, route }, title);
    const expiry = Number(text.split(".")[1]);
    if (route !== undefined) assert.equal(vectorSigner.sign(route, expiry * 1000), text, title);
  }
});
