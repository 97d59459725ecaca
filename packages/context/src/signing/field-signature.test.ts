import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isClewError } from "@clew/errors";
import { type JsonValue, readBaggage } from "@clew/wire";
import fc from "fast-check";
import { type Context, emptyContext } from "../context.ts";
import { extractContext } from "../extract.ts";
import { signatureField } from "../field-names.ts";
import { createFieldSigner, createFieldVerifier, type FieldSignerOptions } from "./field-signature.ts";

const secret = "0123456789abcdef0123456789abcdef";
const fields = ["tenant_id", "user_id"];
const start = 1_800_000_000_000;
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function signed(values: Record<string, JsonValue>, options: Partial<FieldSignerOptions> = {}): Context {
  const trace = extractContext((name) => (name === "traceparent" ? traceparent : undefined));
  const signer = createFieldSigner({ keyId: "k1", secret, fields, now: () => start, ...options });
  return signer.sign(trace.with(values));
}

/** What is left of a context, and what was reported. */
function verify(context: Context, now = start, secrets: Record<string, string> = { k1: secret }) {
  const faults: unknown[] = [];
  const onFault = (...fault: unknown[]): number => faults.push(fault);
  const verified = createFieldVerifier({ secrets, fields, now: () => now, onFault }).verify(context);
  return { names: [...verified.entries()].map(([name]) => name), faults, verified };
}

/** Another tool in between: each value decoded and written anew, properties gone, order turned around. */
function throughForeignHop(context: Context): Context {
  const members = [...readBaggage(context.baggage)].map(
    ({ key, value }) => `${key}=${encodeURIComponent(decodeURIComponent(value))}`,
  );
  const headers: Record<string, string> = { baggage: members.toReversed().join(" , "), traceparent };
  return extractContext((name) => headers[name]);
}

test("signed fields are believed, unsigned ones beside them are nobody's business", () => {
  const context = signed({ tenant_id: "acme", user_id: 42, locale: "de" });
  assert.equal(verify(context).verified, context);
});

test("a signature survives a hop that writes every value anew", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue({ maxDepth: 1 }), (tenant_id, value) => {
      const user_id = JSON.parse(JSON.stringify(value)) as JsonValue;
      const context = throughForeignHop(signed({ tenant_id, user_id }));
      assert.deepEqual(verify(context).faults, []);
    }),
    { numRuns: 200 },
  );
});

test("an unsigned value of a field that must be signed is dropped and reported", () => {
  const { names, faults } = verify(emptyContext.with({ tenant_id: "acme", locale: "de" }));
  assert.deepEqual(names, ["locale"]);
  assert.deepEqual(faults, [["unsigned", 1, "tenant_id"]]);
});

test("a value that was changed, retyped, swapped or taken out ends the signature for all that it covers", () => {
  const context = signed({ tenant_id: "1", user_id: "2", locale: "de" });
  const changes: Record<string, JsonValue | undefined>[] = [
    { tenant_id: "other" },
    { tenant_id: 1 },
    { tenant_id: "2", user_id: "1" },
    { user_id: undefined },
    { [signatureField]: undefined },
    { [signatureField]: 7 },
  ];
  for (const change of changes) {
    assert.deepEqual(verify(context.with(change)).names, ["locale"], JSON.stringify(change));
  }
});

test("a field that the signature does not cover is dropped, those that it covers stay", () => {
  const context = signed({ tenant_id: "acme" }).with({ user_id: "mallory" });
  const { verified, faults } = verify(context);
  assert.deepEqual([verified.get("tenant_id"), verified.has("user_id")], ["acme", false]);
  assert.deepEqual(faults, [["unsigned", 1, "user_id"]]);
});

test("a signature ends with its time, with its key, and with another secret", () => {
  const context = signed({ tenant_id: "acme" }, { lifetimeMs: 10_000 });
  assert.deepEqual(verify(context, start + 9_999).faults, []);
  assert.deepEqual(verify(context, start + 10_000).names, []);
  assert.deepEqual(verify(context, start, {}).names, []);
  assert.deepEqual(verify(context, start, { k1: "another secret, also 32 bytes long" }).names, []);
  assert.deepEqual(verify(context, start, { k0: secret, k1: secret }).faults, []);
});

test("bound to its trace, a signature is worth nothing in another or in none", () => {
  const context = signed({ tenant_id: "acme" }, { bindTrace: true });
  assert.deepEqual(verify(context).faults, []);
  const inTrace = (trace: string | undefined) =>
    extractContext((name) => ({ baggage: context.baggage, traceparent: trace })[name]);
  assert.deepEqual(verify(inTrace(traceparent.replace("0af", "0bf"))).names, []);
  assert.deepEqual(verify(inTrace(undefined)).names, []);
  assert.deepEqual(verify(inTrace(traceparent.replace("b7ad", "c7ad"))).faults, [], "another span of it");
  const unbound = createFieldSigner({ keyId: "k1", secret, fields, bindTrace: true });
  assert.equal(unbound.sign(emptyContext.with({ tenant_id: "acme" })).has(signatureField), false);
});

test("whatever stands in clew-sig, nothing throws and nothing is believed", () => {
  const valid = signed({ tenant_id: "acme" });
  const [version, keyId, expiry, binding, signature] = String(valid.get(signatureField)).split(".");
  const part = (right: string | undefined) => fc.oneof(fc.constant(right), fc.string({ maxLength: 4 }));
  const parts = fc.tuple(
    ...[version, keyId, expiry, binding, signature, "tenant_id", "tenant_id:user_id"].map(part),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        parts.map((all) => all.slice(0, 6).join(".")),
        fc.string(),
      ),
      (text) => {
        fc.pre(text !== valid.get(signatureField));
        assert.equal(verify(valid.with({ [signatureField]: text })).verified.has("tenant_id"), false);
      },
    ),
    { numRuns: 500 },
  );
});

test("a signature without a field to sign is none, and an older one does not stay", () => {
  const older = signed({ tenant_id: "acme" });
  const signer = createFieldSigner({ keyId: "k1", secret, fields: ["user_id"], now: () => start });
  assert.equal(signer.sign(older).has(signatureField), false);
});

test("a secret that is too short and a key id with a dot are refused by code", () => {
  const refused = (act: () => unknown): void =>
    assert.throws(act, (error) => isClewError(error) && error.code === "E_SIGNING_KEY");
  refused(() => createFieldSigner({ keyId: "k1", secret: "short", fields }));
  refused(() => createFieldSigner({ keyId: "k.1", secret, fields }));
  refused(() => createFieldVerifier({ secrets: { k1: new Uint8Array(31) }, fields }));
});

interface Vectors {
  secret: string;
  keyId: string;
  fields: string[];
  now: number;
  lifetime: number;
  cases: { title: string; traceparent?: string; baggage: string; bound: boolean; signature: string }[];
}

test("the vectors for other languages hold", () => {
  const file = new URL("../../vectors/signed-fields.json", import.meta.url);
  const vectors = JSON.parse(readFileSync(file, "utf8")) as Vectors;
  for (const { title, bound, signature, ...headers } of vectors.cases) {
    const signer = createFieldSigner({
      ...vectors,
      lifetimeMs: vectors.lifetime * 1000,
      bindTrace: bound,
      now: () => vectors.now * 1000,
    });
    const context = extractContext((name) => headers[name as keyof typeof headers]);
    assert.equal(signer.sign(context).get(signatureField), signature, title);
  }
});
