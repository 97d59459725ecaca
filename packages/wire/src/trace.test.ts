import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatTraceparent, isTraceparent, maxTraceparentBytes, parseTraceparent } from "./traceparent.ts";
import { checkTracestate } from "./tracestate.ts";

const hexId = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: length, maxLength: length })
    .filter((id) => /[^0]/.test(id));

test("what is written is read back", () => {
  fc.assert(
    fc.property(hexId(32), hexId(16), fc.nat({ max: 3 }), (traceId, parentId, flags) => {
      assert.deepEqual(parseTraceparent(formatTraceparent({ traceId, parentId, flags })), {
        traceId,
        parentId,
        flags,
      });
    }),
  );
});

test("one wrong character anywhere in version 00 is noticed", () => {
  const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (let at = 0; at < good.length; at++) {
    for (const wrong of ["G", "_", "\u0130", "\uff10"]) {
      assert.equal(isTraceparent(good.slice(0, at) + wrong + good.slice(at + 1)), false, `${wrong} at ${at}`);
    }
  }
});

test("what a later version appends is bounded and fit for a header", () => {
  const later = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-";
  assert.equal(isTraceparent(later + "x".repeat(maxTraceparentBytes - later.length)), true);
  assert.equal(isTraceparent(later + "x".repeat(maxTraceparentBytes - later.length + 1)), false);
  assert.equal(isTraceparent(`${later}x\r\ny: z`), false);
});

test("tracestate agrees with the grammar of the specification", () => {
  const entry =
    /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
  const wild = fc.string({
    unit: fc.constantFrom("a", "z", "0", "_", "@", "=", "=", ",", " ", "\t", "A", "é", "\n"),
  });
  fc.assert(
    fc.property(wild, (text) => {
      const entries = text
        .split(",")
        .map((each) => each.replace(/^[ \t]+|[ \t]+$/g, ""))
        .filter((each) => each !== "");
      assert.equal(checkTracestate(text), entries.every((each) => entry.test(each)) ? entries.length : -1);
    }),
    { numRuns: 3000 },
  );
});
