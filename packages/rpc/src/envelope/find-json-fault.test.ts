import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { findJsonFault } from "./find-json-fault.ts";

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
const fault = (text: string) => findJsonFault(Buffer.from(text));

test("finds a fault exactly where JSON.parse does", () => {
  const pieces = fc.constantFrom(
    ...'{}[],:"\\ \n01-.eE+tfn/u',
    '"a"',
    "true",
    "null",
    "1.5e-3",
    '\\u00e9"',
    "\u0001",
  );
  const textual = fc.array(pieces, { maxLength: 12 }).map((list) => list.join(""));
  fc.assert(
    fc.property(fc.oneof(textual, fc.json(), fc.string()), (text) => {
      assert.equal(fault(text) === undefined, isJson(text));
    }),
    { numRuns: 3_000 },
  );
});

test("finds the first damaged byte of a document that was whole", () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, seed) => {
      const bytes = Buffer.from(text);
      const at = seed % bytes.length;
      bytes[at] = 0x01;
      const found = findJsonFault(bytes);
      // A control character is never JSON; nothing before it was damaged.
      assert.equal(found?.position, at);
    }),
  );
});

test("a document that ends too early is at fault at its end", () => {
  for (const text of ["", "[", '{"a"', '{"a":', '"ab', "[1,", "-", "1.", "1e", "tru", '"\\', '"\\u12']) {
    assert.equal(fault(text)?.position, text.length, text);
  }
});

test("a hundred thousand open brackets do not exhaust the stack", () => {
  assert.equal(fault("[".repeat(100_000))?.position, 100_000);
});
