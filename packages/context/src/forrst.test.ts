import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@clew/wire";
import fc from "fast-check";
import { type Context, emptyContext } from "./context.ts";
import { extractContext } from "./extract.ts";
import type { ContextFault } from "./faults.ts";
import { contextFromForrst, contextToForrst } from "./forrst.ts";

function fromHeaders(baggage: string, caller = "gateway"): Context {
  return extractContext((name) => ({ baggage, "x-forrst-caller": caller })[name]);
}

const ignoreFaults = () => {};

test("fields merge by name and the body wins", () => {
  const merged = contextFromForrst(
    { caller: "checkout", tenant_id: "body", flags: ["a"] },
    fromHeaders("tenant_id=header,user_id=u1"),
  );
  assert.equal(merged.caller, "checkout");
  assert.deepEqual(
    [...merged.entries()],
    [
      ["tenant_id", "body"],
      ["user_id", "u1"],
      ["flags", ["a"]],
    ],
  );
});

test("Clew's own fields come from the header alone", () => {
  const body = { "clew-route": "mallory", "clew-explain": "1", "clew-edge": "0", a: "1" };
  assert.equal(contextFromForrst(body, fromHeaders("clew-route=alice")).baggage, "clew-route=alice,a=1");
  assert.equal(contextFromForrst(body, emptyContext).baggage, "a=1");
});

test("a baggage member named caller is handed on and never taken for the caller", () => {
  const headers = fromHeaders("caller=mallory,a=1");
  assert.equal(headers.caller, "gateway");
  assert.deepEqual(contextToForrst(headers, "orders"), { caller: "orders", a: "1" });
  const merged = contextFromForrst({ caller: "checkout" }, headers);
  assert.deepEqual([merged.caller, merged.baggage], ["checkout", "caller=mallory,a=1"]);
});

test("a field that says the same in body and header keeps the header's bytes and digits", () => {
  const baggage = "big=json:9007199254740993;p,name=%41";
  const body = JSON.parse('{"big":9007199254740993,"name":"A"}') as unknown;
  assert.equal(contextFromForrst(body, fromHeaders(baggage)).baggage, baggage);
});

test("anything but an object changes nothing, and is counted unless it is absent", () => {
  const headers = fromHeaders("a=1");
  const faults: ContextFault[] = [];
  for (const member of [undefined, null, 1, "x", [{ a: "2" }]]) {
    assert.equal(
      contextFromForrst(member, headers, (fault) => faults.push(fault)),
      headers,
    );
  }
  assert.equal(faults.length, 4);
});

test("an unusable caller or field of the body is left out alone", () => {
  const merged = contextFromForrst({ caller: 1, "": "x", a: 1n, b: "2" }, fromHeaders("a=1"), ignoreFaults);
  assert.deepEqual([merged.caller, merged.baggage], ["gateway", "a=1,b=2"]);
});

test("every JSON value survives a hop by body, and one by header", () => {
  const field = fc.tuple(
    fc
      .string({ unit: "binary", minLength: 1 })
      .filter((name) => name !== "caller" && !name.startsWith("clew-")),
    fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as JsonValue),
  );
  fc.assert(
    fc.property(fc.uniqueArray(field, { selector: ([name]) => name }), (fields) => {
      const body = { caller: "a", ...Object.fromEntries(fields) };
      const first = contextFromForrst(body, emptyContext, ignoreFaults);
      const second = contextFromForrst(JSON.parse(JSON.stringify(contextToForrst(first, "b"))), emptyContext);
      assert.deepEqual(new Map(second.entries()), new Map(fields));
      assert.equal(second.caller, "b");
      assert.equal(second.baggage, first.baggage);
    }),
  );
});

test("a field named __proto__ crosses the envelope as a field", () => {
  const body = JSON.parse('{"__proto__":{"admin":true}}') as unknown;
  const sent = contextToForrst(contextFromForrst(body, emptyContext), "orders");
  assert.equal(JSON.stringify(sent), '{"caller":"orders","__proto__":{"admin":true}}');
  assert.equal(sent["admin"], undefined);
});

test("a body with very many fields costs linear time", () => {
  const body = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, "v"]));
  assert.equal(contextFromForrst(body, fromHeaders("a=1")).size, 50_001);
});
