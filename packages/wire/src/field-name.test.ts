import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isAllInClass, tokenClass, visibleClass } from "./characters.ts";
import { decodeCaller, decodeFieldName, encodeCaller, encodeFieldName } from "./field-name.ts";
import { percentDecodeStrict, percentEncode } from "./percent.ts";

/** Names that come near to what an encoder writes are the ones that break encoders. */
const trickyName = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("%", "2", "5", "25", "%25", "%20", "%41", "%C3", "%A9", "a", "é", " "), {
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
);

/** The contract's own words, level by level. */
function encodeByDefinition(name: string): string {
  return isAllInClass(name, tokenClass) && decodeByDefinition(name) === name
    ? name
    : percentEncode(name, tokenClass);
}
function decodeByDefinition(key: string): string {
  const decoded = percentDecodeStrict(key);
  return decoded !== undefined && decoded !== key && encodeByDefinition(decoded) === key ? decoded : key;
}

test("every name reads back as itself, and its key is a token", () => {
  fc.assert(
    fc.property(trickyName, (name) => {
      const key = encodeFieldName(name);
      assert.equal(decodeFieldName(key), name);
      assert.ok(isAllInClass(key, tokenClass));
    }),
    { numRuns: 2000 },
  );
});

test("names encode and decode as the recursive definition says", () => {
  fc.assert(
    fc.property(trickyName, (name) => {
      assert.equal(encodeFieldName(name), encodeByDefinition(name));
      assert.equal(decodeFieldName(name), decodeByDefinition(name));
    }),
    { numRuns: 2000 },
  );
});

test("a key that another tool wrote is written back as it was", () => {
  fc.assert(
    fc.property(
      trickyName.filter((key) => isAllInClass(key, tokenClass)),
      (key) => {
        assert.equal(encodeFieldName(decodeFieldName(key)), key);
      },
    ),
  );
});

test("escapes nested very deep cost no stack", () => {
  const name = `%${"25".repeat(100_000)}20`;
  assert.equal(decodeFieldName(encodeFieldName(name)), name);
});

test("a lone surrogate in a name becomes U+FFFD", () => {
  assert.equal(decodeFieldName(encodeFieldName("a\ud800b")), "a\ufffdb");
  assert.equal(decodeFieldName(encodeFieldName("\udc00")), "\ufffd");
});

test("a service name goes as it is where it is visible ASCII, and any reads back", () => {
  assert.equal(encodeCaller("@shop/orders:v2 "), "@shop/orders:v2%20");
  fc.assert(
    fc.property(trickyName, (service) => {
      const value = encodeCaller(service);
      assert.equal(decodeCaller(value), service);
      assert.ok(isAllInClass(value, visibleClass));
    }),
  );
});
