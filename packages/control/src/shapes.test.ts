import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import {
  httpUrl,
  json,
  number,
  object,
  record,
  strictObject,
  variant,
  wholeNumber,
  wordOr,
} from "./shapes.ts";

/** What is wrong with a value, each fault behind its place. */
function faults(schema: v.GenericSchema, value: unknown): string[] {
  return (v.safeParse(schema, value).issues ?? []).map(
    (issue) => `${v.getDotPath(issue) ?? "it"} ${issue.message}`,
  );
}

const optional = { a: v.optional(v.string()) };

test("an object drops what it does not know, and is no list", () => {
  assert.deepEqual(v.parse(object(optional), { a: "1", b: 2 }), { a: "1" });
  assert.deepEqual(v.parse(object(optional), JSON.parse('{"__proto__":{"a":"1"}}')), {});
  assert.deepEqual(faults(object(optional), []), ["it is not an object"]);
  assert.deepEqual(faults(object({ a: object(optional) }), { a: [] }), ["a is not an object"]);
  assert.deepEqual(faults(object({ a: v.string(), b: v.number() }), { b: "1" }), [
    "a is missing",
    "b is not a number",
  ]);
});

test("a strict object tells of every member that it does not know, and of all other faults", () => {
  const schema = strictObject({ ...optional, n: v.number() }, "setting");
  assert.deepEqual(faults(schema, { b: 1, constructor: 2 }), [
    "n is missing",
    "b has no setting named b, constructor",
  ]);
  assert.deepEqual(faults(schema, []), ["it is not an object"]);
});

test("a record keeps every name but __proto__, checks each, and is no list", () => {
  const schema = record(v.pipe(v.string(), v.maxLength(11)), v.number());
  const names = { prototype: 1, constructor: 2, toString: 3 };
  assert.deepEqual(v.parse(schema, names), names);
  assert.deepEqual(v.parse(schema, JSON.parse('{"__proto__":"x","a":1}')), { a: 1 });
  assert.deepEqual(faults(schema, { constructor: "x", "a-long-name-": 1 }), [
    "constructor is not a number",
    "a-long-name- has more than 11 characters",
  ]);
  assert.deepEqual(faults(schema, [1]), ["it is not an object"]);
  assert.deepEqual(faults(schema, null), ["it is not an object"]);
});

test("a variant tells which kinds there are", () => {
  const schema = variant("kind", [
    object({ kind: v.literal("a"), n: v.number() }),
    object({ kind: v.literal("b") }),
  ]);
  assert.deepEqual(faults(schema, { kind: "c" }), ['kind is none of "a", "b"']);
  assert.deepEqual(faults(schema, {}), ["kind is missing"]);
  assert.deepEqual(faults(schema, { kind: "a" }), ["n is missing"]);
  assert.deepEqual(faults(schema, []), ["it is not an object"]);
});

test("where a word or an object may stand, an object's own faults are told", () => {
  const schema = wordOr("memory", strictObject({ a: v.string(), b: v.string() }, "setting"), "is neither");
  assert.equal(v.parse(schema, "memory"), "memory");
  assert.deepEqual(v.parse(schema, { a: "1", b: "2" }), { a: "1", b: "2" });
  assert.deepEqual(faults(schema, "disk"), ["it is neither"]);
  assert.deepEqual(faults(schema, null), ["it is neither"]);
  assert.deepEqual(faults(schema, { a: 1, c: 2 }), [
    "a is not a string",
    "b is missing",
    "c has no setting named c",
  ]);
});

test("numbers are finite, and whole ones are held exactly", () => {
  const schema = object({ number, whole: v.pipe(wholeNumber, v.minValue(1)) });
  assert.deepEqual(faults(schema, JSON.parse('{"number":1e999,"whole":1e300}')), [
    "number is not a finite number",
    "whole is not a whole number",
  ]);
  assert.deepEqual(faults(schema, { number: -0.5, whole: 0 }), ["whole is less than 1"]);
});

test("an address is http:// or https://, and can be read in one way only", () => {
  assert.equal(v.parse(httpUrl, " HTTPS://a.example/x?y#z\n"), "HTTPS://a.example/x?y#z");
  const others = [
    "ftp://a",
    "javascript:alert(1)",
    "http:a",
    "http://",
    "http://a\nb/",
    "http://a b/",
    "a",
    "",
  ];
  for (const other of others) {
    assert.deepEqual(faults(httpUrl, other), ["it is not an http:// or https:// address"], other);
  }
});

test("JSON is JSON at every depth", () => {
  const value = { a: [1, "b", null, { constructor: true }] };
  assert.deepEqual(v.parse(json, value), value);
  for (const other of [undefined, [undefined], { a: 1n }, [Number.NaN], { a: { b: () => 1 } }]) {
    assert.deepEqual(faults(json, other), ["it is not JSON"]);
  }
});

test("what is wrong is said without repeating the value", () => {
  const schema = object({
    text: v.pipe(v.string(), v.minLength(1)),
    list: v.pipe(v.array(v.string()), v.maxLength(1)),
    choice: v.picklist(["x", "y"]),
    flag: v.boolean(),
  });
  assert.deepEqual(faults(schema, { text: "", list: ["secret", 1], choice: "secret", flag: "secret" }), [
    "text is empty",
    "list.1 is not a string",
    'choice is none of "x", "y"',
    "flag is not true or false",
  ]);
  assert.deepEqual(faults(schema, { text: "a", list: ["a", "b"], choice: "x", flag: true }), [
    "list has more than 1 items",
  ]);
});
