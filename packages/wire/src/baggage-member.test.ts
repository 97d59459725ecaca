import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkBaggage } from "./baggage.ts";
import { editBaggage, findBaggageValue, readBaggage } from "./baggage-member.ts";
import { decodeFieldValue, encodeFieldValue } from "./field-value.ts";

const space = fc.constantFrom("", " ", "\t", "  ");
const key = fc.constantFrom("a", "aa", "ab", "b", "clew-route", "k");
const value = fc.constantFrom("", "a", "aa=1", "1", "b", "%41", "json:1");
const property = fc.constantFrom("", ";a", "; a = 1", ";p=2 ;q", ";;  a");
const member = fc
  .tuple(space, key, space, space, value, property, space)
  .map(([before, k, s1, s2, v, p, after]) => `${before}${k}${s1}=${s2}${v}${p}${after}`);
const header = fc.array(fc.oneof(member, space), { maxLength: 8 }).map((members) => members.join(","));

test("finding one value agrees with reading them all", () => {
  fc.assert(
    fc.property(header, key, (text, wanted) => {
      assert.ok(checkBaggage(text) >= 0);
      const last = [...readBaggage(text)].findLast((each) => each.key === wanted);
      assert.equal(findBaggageValue(text, wanted), last?.value);
    }),
    { numRuns: 3000 },
  );
});

test("an edit sets what it should and leaves every other member its bytes and place", () => {
  fc.assert(
    fc.property(header, key, fc.option(fc.string(), { nil: undefined }), (text, changed, wanted) => {
      const encoded = wanted === undefined ? undefined : encodeFieldValue(wanted);
      const edited = editBaggage(text, new Map([[changed, encoded]]));
      const found = findBaggageValue(edited, changed);
      assert.equal(found === undefined ? undefined : decodeFieldValue(found), wanted);
      const others = (from: string) =>
        [...readBaggage(from)].filter((each) => each.key !== changed).map((each) => each.raw);
      assert.deepEqual(others(edited), others(text));
      assert.ok(
        [...readBaggage(edited)].filter((each) => each.key === changed).length <= 1 || edited === text,
      );
    }),
    { numRuns: 2000 },
  );
});

test("an edit that changes nothing returns the very text, white space and properties included", () => {
  const text = " a = %41;p=1 ,, b=2 ";
  assert.equal(
    editBaggage(
      text,
      new Map([
        ["a", "A"],
        ["c", undefined],
      ]),
    ),
    text,
  );
});

test("a changed member keeps its place and loses the properties of its old value", () => {
  assert.equal(editBaggage("a=1;p,b=2;q", new Map([["a", "3"]])), "a=3,b=2;q");
});

test("of a doubled member a change leaves one", () => {
  assert.equal(editBaggage("a=1,b=2,a=3", new Map([["a", "1"]])), "a=1,b=2");
  assert.equal(editBaggage("a=1,b=2,a=3", new Map([["a", undefined]])), "b=2");
});

test("the first key goes to the front, and stays there with its bytes", () => {
  const change = new Map([["r", "x"]]);
  assert.equal(editBaggage("a=1,b=2", change, "r"), "r=x,a=1,b=2");
  assert.equal(editBaggage("a=1,r=x;p,b=2", change, "r"), "r=x;p,a=1,b=2");
  assert.equal(editBaggage("r=x;p,a=1", change, "r"), "r=x;p,a=1");
});

test("many members are edited in linear time", () => {
  const text = Array.from({ length: 50_000 }, (_, index) => `k${index}=1`).join(",");
  const changes = new Map(Array.from({ length: 50_000 }, (_, index) => [`k${index}`, "2"] as const));
  assert.equal(editBaggage(text, changes), text.replaceAll("=1", "=2"));
});
