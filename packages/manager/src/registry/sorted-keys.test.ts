import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareKeys, SortedKeys } from "./sorted-keys.ts";

const text = fc.string({ unit: "binary", maxLength: 6 });

test("keys compare as their UTF-8 bytes do", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("keys stay sorted and whole while they are added and removed", () => {
  fc.assert(
    fc.property(fc.uniqueArray(text, { maxLength: 30 }), fc.nat(), text, (all, seed, prefix) => {
      const keys = new SortedKeys();
      for (const key of all) keys.add(key);
      const gone = all.filter((_, index) => (index * 7 + seed) % 3 === 0);
      for (const key of gone) keys.remove(key);
      const left = all.filter((key) => !gone.includes(key) && key.startsWith(prefix)).sort(compareKeys);
      assert.deepEqual([...keys.below(prefix)], left);
    }),
  );
});
