import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pattern, patternLimits } from "./pattern.ts";

const atom = fc.constantFrom(
  "a",
  "b",
  "c",
  ".",
  "[ab]",
  "[^a]",
  "[a-c]",
  "\\w",
  "\\d",
  "\\.",
  "(a|b)",
  "(?:ab|)",
  "(a*)",
);
const repeated = fc
  .tuple(atom, fc.constantFrom("", "*", "+", "?", "{2}", "{1,3}", "{1,}", "*?"))
  .map((parts) => parts.join(""));
const sequence = fc.array(repeated, { maxLength: 4 }).map((parts) => parts.join(""));
const patterns = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("|"));
const subjects = fc.string({ unit: fc.constantFrom("a", "b", "c", ".", "1", "\n"), maxLength: 8 });

test("a pattern matches what the platform's own engine matches when anchored", () => {
  fc.assert(
    fc.property(patterns, subjects, (pattern, subject) => {
      const expected = new RegExp(`^(?:${pattern})$`, "s").test(subject);
      assert.equal(new Pattern(pattern).matches(subject), expected);
    }),
    { numRuns: 2_000 },
  );
});

test("any text is either a pattern or refused with a code", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(..."ab(){}[]|*+?^$\\.,-12:<=!dW"), maxLength: 12 }),
      (source) => {
        let pattern: Pattern;
        try {
          pattern = new Pattern(source);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "E_PATTERN_INVALID");
          return;
        }
        assert.equal(pattern.matches("ab12"), new RegExp(`^(?:${source})$`, "s").test("ab12"));
      },
    ),
    { numRuns: 3_000 },
  );
});

test("patterns that make a backtracking engine run for ages come to an end", () => {
  const subject = "a".repeat(patternLimits.maxSubjectLength - 1);
  for (const source of [
    "(a+)+b",
    "(a|a)*b",
    ".*.*.*.*.*b",
    "(a?){50}a{50}b",
    "((((){100}){100}){100}){100}",
  ]) {
    assert.equal(new Pattern(source).matches(`${subject}c`), false);
  }
});

test("what cannot be matched in linear time, or is too large, is refused by position or size", () => {
  for (const source of [
    "(?=a)",
    "(?<!a)b",
    "(a)\\1",
    "\\bword",
    "(?<name>a)",
    "a**",
    "a{101}",
    "a^b",
    "(a",
    "a)",
    "[b-a]",
  ]) {
    assert.throws(() => new Pattern(source), { code: "E_PATTERN_INVALID", message: /position \d/ }, source);
  }
  assert.throws(() => new Pattern("a".repeat(patternLimits.maxPatternLength + 1)), {
    code: "E_PATTERN_INVALID",
  });
  assert.throws(() => new Pattern("((a{100}){100}){100}"), { code: "E_PATTERN_INVALID" });
});

test("a text longer than the limit does not match, whatever the pattern", () => {
  assert.equal(new Pattern(".*").matches("x".repeat(patternLimits.maxSubjectLength)), true);
  assert.equal(new Pattern(".*").matches("x".repeat(patternLimits.maxSubjectLength + 1)), false);
});
