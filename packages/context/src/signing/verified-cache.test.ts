import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifiedCache } from "./verified-cache.ts";

/** Asks for a text, and tells whether it had to be verified. */
function createProbe(maxEntries: number) {
  const cache = createVerifiedCache(maxEntries);
  return (text: string, isGood: boolean): boolean => {
    let asked = false;
    const answer = cache.ask(text, () => {
      asked = true;
      return isGood;
    });
    assert.equal(answer, isGood);
    return asked;
  };
}

test("the same text is verified once, good or bad", () => {
  const isVerified = createProbe(10);
  assert.deepEqual([isVerified("a", true), isVerified("a", true)], [true, false]);
  assert.deepEqual([isVerified("b", false), isVerified("b", false)], [true, false]);
});

test("a flood of forgeries neither grows without bound nor drives out what is good", () => {
  const isVerified = createProbe(10);
  isVerified("good", true);
  for (let i = 0; i < 1000; i++) assert.equal(isVerified(`forged ${i}`, false), true);
  assert.equal(isVerified("good", true), false);
  assert.equal(isVerified("forged 0", false), true);
  assert.equal(isVerified("forged 999", false), false);
});

test("at the bound the least recently used is forgotten first", () => {
  const isVerified = createProbe(2);
  for (const text of ["a", "b", "a", "c"]) isVerified(text, true);
  assert.deepEqual([isVerified("a", true), isVerified("b", true)], [false, true]);
});

test("a text that is long is never remembered", () => {
  const isVerified = createProbe(10);
  const long = "x".repeat(10_000);
  assert.deepEqual([isVerified(long, true), isVerified(long, true)], [true, true]);
});
