import assert from "node:assert/strict";
import { test } from "node:test";
import { flatPairs, headerValue, withFields, withoutNames } from "./header-list.ts";

test("finds a header in whatever case it was written, in a list by its name and never by a value", () => {
  const list = ["X-A", "baggage", "Baggage", "a=1"];
  assert.equal(headerValue(list, "baggage"), "a=1");
  assert.equal(headerValue({ "X-A": "baggage", Baggage: "a=1" }, "baggage"), "a=1");
  assert.equal(headerValue(["x", "baggage"], "baggage"), undefined);
});

test("sets fields in a copy, in the place of what had their name", () => {
  const list = ["Accept", "*/*", "X-Forrst-Caller", "a"];
  assert.deepEqual(withFields(list, [["x-forrst-caller", "b"]]), ["Accept", "*/*", "x-forrst-caller", "b"]);
  assert.deepEqual(list, ["Accept", "*/*", "X-Forrst-Caller", "a"]);
  const object = { Accept: "*/*", "X-Forrst-Caller": "a" };
  assert.deepEqual(withFields(object, [["x-forrst-caller", "b"]]), { Accept: "*/*", "x-forrst-caller": "b" });
  assert.deepEqual(withoutNames(object, ["accept"]), { "X-Forrst-Caller": "a" });
  assert.deepEqual(withoutNames(list, ["accept"]), ["X-Forrst-Caller", "a"]);
});

test("an iterable that is not made of pairs is not taken for headers", () => {
  assert.deepEqual(flatPairs(new Map([["a", "1"]])), ["a", "1"]);
  assert.deepEqual(flatPairs(new Set([["a", "1"], ["b"]])), undefined);
});
