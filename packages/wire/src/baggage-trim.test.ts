import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkBaggage } from "./baggage.ts";
import { trimBaggage } from "./baggage-trim.ts";

const small = { maxMembers: 3, maxBytes: 12, maxNameBytes: 4 };

test("first come, first kept, in whole members", () => {
  assert.deepEqual(trimBaggage("a=1,b=2,c=3,d=4", [], small), { text: "a=1,b=2,c=3", dropped: ["d"] });
});

test("important members are kept wherever they stand, in the order of the list", () => {
  assert.deepEqual(trimBaggage("a=1,b=2,c=3,d=4,e=5", ["e", "d"], small), {
    text: "a=1,d=4,e=5",
    dropped: ["b", "c"],
  });
  const one = { ...small, maxMembers: 1 };
  assert.deepEqual(trimBaggage("a=1,b=2,c=3", ["c", "b"], one), { text: "c=3", dropped: ["a", "b"] });
});

test("one large value costs itself and not the small ones behind it", () => {
  assert.deepEqual(trimBaggage("a=1,b=22222222222,c=3", [], small), { text: "a=1,c=3", dropped: ["b"] });
});

test("a name past its limit goes, properties stay with what is kept", () => {
  assert.deepEqual(trimBaggage("a=1;p=1,long_=1", [], small), { text: "a=1;p=1", dropped: ["long_"] });
});

test("whatever is trimmed fits, and is all there when it fitted", () => {
  const header = fc
    .array(fc.tuple(fc.constantFrom("a", "b", "r", "longer"), fc.nat({ max: 99_999 })), { maxLength: 9 })
    .map((fields) => fields.map(([key, value]) => `${key}=${value}`).join(","));
  fc.assert(
    fc.property(header, (text) => {
      const trimmed = trimBaggage(text, ["r"], small);
      assert.ok(checkBaggage(trimmed.text, small) >= 0);
      assert.equal(trimmed.text === text, checkBaggage(text, small) >= 0);
      assert.equal(trimmed.dropped.length === 0, trimmed.text === text);
    }),
  );
});
