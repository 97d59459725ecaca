import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";

function shuffled(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(shuffled);
  const members = Object.entries(value).toReversed();
  return Object.fromEntries(members.map(([name, member]) => [name, shuffled(member)]));
}

test("equal values have the same text, whatever the order of their members, and it reads back equal", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value as never);
      assert.equal(canonicalJson(shuffled(value) as never), text);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("members are in the order of UTF-16 code units (RFC 8785 §3.2.3)", () => {
  const names = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 };
  assert.deepEqual(
    [...canonicalJson(names).matchAll(/:(\d)/g)].map(([, n]) => Number(n)),
    [2, 4, 6, 7, 1, 5, 3],
  );
});
