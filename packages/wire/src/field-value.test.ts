import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkBaggage } from "./baggage.ts";
import { decodeFieldValue, encodeFieldValue, fieldValueText, isSameFieldValue } from "./field-value.ts";
import type { JsonValue } from "./json-value.ts";

const jsonValue = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const noLimits = { maxMembers: 64, maxBytes: 1e9, maxNameBytes: 256 };

test("every JSON value survives, type and all, in characters that baggage allows", () => {
  fc.assert(
    fc.property(fc.oneof(jsonValue, fc.string({ unit: "binary" })), (value) => {
      const encoded = encodeFieldValue(value);
      assert.deepEqual(decodeFieldValue(encoded), value);
      assert.equal(checkBaggage(`a=${encoded}`, noLimits), 1);
      assert.ok(isSameFieldValue(encoded, encodeFieldValue(value)));
    }),
  );
});

test("strings that begin like our own prefixes survive", () => {
  const prefix = fc.constantFrom("json:", "str:", "str:json:", "json:str:", "str:str:");
  fc.assert(
    fc.property(prefix, fc.oneof(fc.string(), fc.json()), (start, rest) => {
      assert.equal(decodeFieldValue(encodeFieldValue(start + rest)), start + rest);
    }),
  );
});

test("whatever comes is read without throwing", () => {
  const wild = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("%", "F", "f", "0", "9", "C", "json:", "é") }),
  );
  fc.assert(
    fc.property(wild, (text) => {
      assert.equal(typeof fieldValueText(text), "string");
      assert.notEqual(decodeFieldValue(`json:${text}`), undefined);
    }),
  );
});

test("a lone surrogate in a value becomes U+FFFD", () => {
  assert.equal(decodeFieldValue(encodeFieldValue("a\ud800b")), "a\ufffdb");
  assert.deepEqual(decodeFieldValue(encodeFieldValue(["\udfff"])), ["\udfff"]);
});

test("brackets nested deeper than the stack throw nowhere on the way in", () => {
  const deep = `json:${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  assert.equal(typeof fieldValueText(deep), "string");
  assert.equal(isSameFieldValue(deep, "json:[]"), false);
});

test("a number that another tool wrote with more digits is the same until it is changed", () => {
  assert.equal(isSameFieldValue("json:9007199254740993", encodeFieldValue(Number("9007199254740993"))), true);
  assert.equal(isSameFieldValue("%61", "a"), true);
  assert.equal(isSameFieldValue("1", "json:1"), false);
});

test("what JSON cannot hold is refused", () => {
  const cycle: JsonValue[] = [];
  cycle.push(cycle);
  for (const value of [1n, () => 1, Symbol("x"), cycle]) {
    assert.throws(() => encodeFieldValue(value as JsonValue), TypeError);
  }
});
