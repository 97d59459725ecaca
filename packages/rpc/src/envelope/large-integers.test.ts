import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { markLargeIntegers, resolveMarked, stringifyExact, stringifyMarked } from "./large-integers.ts";

/** JSON values with integers of any size, as bigints. */
const { value: anyValue } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
    fc.string({ unit: "binary" }),
    fc.constantFrom('"', "\\", "9007199254740993", '\\"9007199254740993', null, true, 1.5, 0),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

test("every integer keeps its digits, in whatever text it stands, and strings stay strings", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const text = stringifyExact([value]);
      const marked = markLargeIntegers(text);
      if (marked === undefined) return;
      assert.equal(stringifyMarked(JSON.parse(marked)), text);
      const read = resolveMarked(JSON.parse(marked), "bigint", () => assert.fail());
      assert.equal(stringifyExact(read as object), text);
    }),
    { numRuns: 500 },
  );
});

test("only what a number cannot hold is touched", () => {
  const held = ["9007199254740991", "-9007199254740991", "10000000000000000", "0.1234567890123456789"];
  for (const text of [...held, "1e400", '"9007199254740993"']) {
    assert.equal(markLargeIntegers(`[${text}]`), undefined, text);
  }
  for (const text of ["9007199254740993", "-9007199254740993", "123456789012345678901234567890"]) {
    const read = JSON.parse(markLargeIntegers(`[${text}]`) ?? assert.fail(text));
    assert.deepEqual(
      resolveMarked(read, "text", () => {}),
      [text],
    );
  }
});

test("each that is refused is named by its place", () => {
  const marked = markLargeIntegers('{"a/b":[1,9007199254740993],"c":{"~":-9007199254740993}}');
  const places: string[] = [];
  resolveMarked(JSON.parse(marked ?? ""), "refuse", (pointer) => places.push(pointer));
  assert.deepEqual(places, ["/a~1b/1", "/c/~0"]);
});
