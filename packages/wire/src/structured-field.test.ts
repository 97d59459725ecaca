import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  formatStructuredDictionary,
  formatStructuredItem,
  maxStructuredInteger,
  type StructuredItem,
  StructuredToken,
} from "./structured-field.ts";
import { parseStructuredDictionary, parseStructuredItem } from "./structured-field-parser.ts";

const key = fc.stringMatching(/^[a-z*][a-z0-9_\-.*]{0,8}$/);
const value = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary" }),
  fc.integer({ min: -maxStructuredInteger, max: maxStructuredInteger }),
  fc.boolean(),
  fc.stringMatching(/^[A-Za-z*][a-z:/!#]{0,8}$/).map((name) => new StructuredToken(name)),
);
const item: fc.Arbitrary<StructuredItem> = fc
  .tuple(value, fc.dictionary(key, value, { minKeys: 1 }))
  .map(([v, parameters]) => ({ value: v, parameters }));

test("items and dictionaries read back as they were written, in printable ASCII", () => {
  fc.assert(
    fc.property(item, fc.dictionary(key, item), (one, many) => {
      assert.deepEqual(plain(parseStructuredItem(formatStructuredItem(one))), plain(one));
      const text = formatStructuredDictionary(many);
      assert.match(text, /^[\x20-\x7e]*$/);
      assert.deepEqual(
        [...(parseStructuredDictionary(text) ?? [])].map(([k, v]) => [k, plain(v)]),
        Object.entries(many).map(([k, v]) => [k, plain(v)]),
      );
    }),
  );
});

/** fast-check makes objects without prototype; only what is in them counts. */
function plain(structured: StructuredItem | undefined): unknown {
  return structured && [structured.value, Object.entries(structured.parameters ?? {})];
}

test("a decision looks as RFC 9651 says", () => {
  const text = formatStructuredDictionary({
    service: { value: "orders" },
    to: { value: new StructuredToken("override"), parameters: { route: "alice", us: 12, fallback: true } },
    live: { value: true },
    owner: { value: "Zoë" },
    quoted: { value: 'a"b\\c' },
  });
  assert.equal(
    text,
    'service="orders", to=override;route="alice";us=12;fallback, live, owner=%"Zo%c3%ab", quoted="a\\"b\\\\c"',
  );
  assert.equal(parseStructuredDictionary(text)?.get("owner")?.value, "Zoë");
});

test("a key that stands twice keeps its last value", () => {
  assert.deepEqual(
    [...(parseStructuredDictionary("a=1, b, a=?0") ?? [])],
    [
      ["a", { value: false }],
      ["b", { value: true }],
    ],
  );
});

test("what is malformed, or never written here, is undefined", () => {
  for (const text of [
    "a=1,",
    "a=1 b=2",
    "A=1",
    "=1",
    "a=",
    'a="x',
    'a="\\x"',
    "a=1.5",
    "a=1234567890123456",
    "a=(1 2)",
    "a=:YQ==:",
    "a=@1",
    'a=%"%zz"',
    'a=%"%ff"',
    'a="é"',
    "a=1;",
    "a;b=",
  ]) {
    assert.equal(parseStructuredDictionary(text), undefined, text);
  }
  for (const text of ["", "1 2", "?2", "-", '"', "1;A"])
    assert.equal(parseStructuredItem(text), undefined, text);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseStructuredDictionary(text)));
});

test("what has no form is refused when it is written", () => {
  for (const wrong of [
    1.5,
    Number.NaN,
    maxStructuredInteger + 1,
    new StructuredToken("1a"),
    new StructuredToken(""),
  ]) {
    assert.throws(() => formatStructuredItem({ value: wrong }), TypeError);
  }
  assert.throws(() => formatStructuredDictionary({ Key: { value: 1 } }), TypeError);
});
