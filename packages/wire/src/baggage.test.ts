import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { baggageLimits, checkBaggage, repairBaggage } from "./baggage.ts";

const wildHeader = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("a", "b=", "=", ",", ";", " ", "\t", "%", "é", '"', "1", "\n", "k=v"), {
      maxLength: 40,
    })
    .map((parts) => parts.join("")),
);

test("whatever comes, the repaired header is clean, and repairing it again changes nothing", () => {
  fc.assert(
    fc.property(wildHeader, (header) => {
      const repaired = repairBaggage(header);
      assert.equal(checkBaggage(repaired.text), repaired.members);
      assert.deepEqual(repairBaggage(repaired.text), {
        ...repaired,
        malformed: 0,
        overlong: 0,
        truncated: false,
      });
    }),
    { numRuns: 2000 },
  );
});

test("the check and the repair agree about which header is clean", () => {
  fc.assert(
    fc.property(wildHeader, (header) => {
      const { malformed, overlong, truncated, members } = repairBaggage(header);
      const isClean = malformed === 0 && overlong === 0 && !truncated;
      assert.equal(checkBaggage(header), isClean ? members : -1);
    }),
    { numRuns: 2000 },
  );
});

test("a header of nothing but commas and spaces is clean and empty", () => {
  assert.equal(checkBaggage(" , ,, "), 0);
  assert.equal(checkBaggage(""), 0);
});

test("a single member past the byte limit leaves nothing", () => {
  const repaired = repairBaggage(`a=${"x".repeat(baggageLimits.maxBytes)}`);
  assert.deepEqual([repaired.text, repaired.truncated], ["", true]);
});
