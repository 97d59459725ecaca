import assert from "node:assert/strict";
import { test } from "node:test";
import { isClewError } from "@clew/errors";
import type { JsonValue } from "@clew/wire";
import fc from "fast-check";
import { type Context, emptyContext } from "./context.ts";
import { extractContext } from "./extract.ts";
import { parseRoutingKey } from "./routing-key.ts";

function fromBaggage(baggage: string): Context {
  return extractContext((name) => (name === "baggage" ? baggage : undefined));
}

const name = fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => text !== "caller");
const value = fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as JsonValue);

test("fields that are set are read, listed and counted, each with its type", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key }), (fields) => {
      const context = emptyContext.with(Object.fromEntries(fields));
      for (const [key, expected] of fields) {
        assert.deepEqual(context.get(key), expected);
        assert.ok(context.has(key));
      }
      assert.equal(context.size, fields.length);
      assert.deepEqual(new Map(context.entries()), new Map(fields));
    }),
  );
});

test("a context is never changed by what is made from it, nor by what is read from it", () => {
  const flags = ["a"];
  const context = emptyContext.with({ flags, tenant_id: "acme" });
  flags.push("b");
  (context.get("flags") as string[]).push("c");
  const changed = context.with({ flags: undefined, tenant_id: "other" });
  assert.deepEqual([context.get("flags"), context.get("tenant_id")], [["a"], "acme"]);
  assert.deepEqual([changed.has("flags"), changed.get("tenant_id"), changed.size], [false, "other", 1]);
});

test("changing nothing gives the same context", () => {
  const context = fromBaggage("a = 1;p");
  assert.equal(context.with({ a: "1", b: undefined }), context);
  assert.equal(context.with({}), context);
});

test("a changed field leaves the bytes of foreign members alone", () => {
  const context = fromBaggage("vendor=%41;prop=1;flag, tenant_id=a ,x!#$=json:9007199254740993");
  assert.equal(
    context.with({ tenant_id: "b" }).baggage,
    "vendor=%41;prop=1;flag,tenant_id=b,x!#$=json:9007199254740993",
  );
});

test("the routing key goes first in the header", () => {
  assert.equal(
    fromBaggage("a=1,b=2").with({ c: "3", "clew-route": "alice" }).baggage,
    "clew-route=alice,a=1,b=2,c=3",
  );
  assert.equal(fromBaggage("a=1,clew-route=bob").with({ "clew-route": "bob" }).baggage, "clew-route=bob,a=1");
});

test("routing compares a string as it is, and other values as compact JSON that keeps its digits", () => {
  const context = fromBaggage("s=json,n=json:9007199254740993,o=json:{%20%22a%22:%201},c=json:{");
  assert.deepEqual(
    ["s", "n", "o", "c", "none"].map((field) => context.text(field)),
    ["json", "9007199254740993", '{"a":1}', "json:{", undefined],
  );
});

test("fields with the names of object prototypes are fields", () => {
  const fields = JSON.parse('{"__proto__":{"x":1},"constructor":"c","toString":"t"}') as Record<
    string,
    JsonValue
  >;
  const context = emptyContext.with(fields);
  assert.deepEqual(context.get("__proto__"), { x: 1 });
  assert.equal(context.get("toString"), "t");
  assert.equal(context.get("hasOwnProperty"), undefined);
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
});

test("a name or value that no carrier can hold is refused by code", () => {
  const refused = (fields: Record<string, unknown>, code: string) =>
    assert.throws(
      () => emptyContext.with(fields as Record<string, JsonValue>),
      (error) => isClewError(error) && error.code === code && error.hint !== undefined,
    );
  refused({ "": "x" }, "E_CONTEXT_NAME");
  refused({ ["n".repeat(257)]: "x" }, "E_CONTEXT_NAME");
  refused({ ["é".repeat(43)]: "x" }, "E_CONTEXT_NAME");
  refused({ caller: "x" }, "E_CONTEXT_NAME");
  refused({ a: 1n }, "E_CONTEXT_VALUE");
  refused({ a: () => 1 }, "E_CONTEXT_VALUE");
});

test("a routing key is believed only as a plain route name in open mode", () => {
  const open = { open: true };
  assert.deepEqual(parseRoutingKey(undefined, open), { status: "none" });
  assert.deepEqual(parseRoutingKey("alice-2", open), { status: "open", route: "alice-2" });
  assert.deepEqual(parseRoutingKey("a".repeat(63), open), { status: "open", route: "a".repeat(63) });
  for (const wrong of ["", "-a", "a-", "A", "a_b", "a.b", "ä", "a".repeat(64), 1, null, ["a"]]) {
    assert.deepEqual(parseRoutingKey(wrong, open), { status: "invalid" }, String(wrong));
  }
  assert.deepEqual(parseRoutingKey("alice", { open: false }), { status: "invalid" });
});
