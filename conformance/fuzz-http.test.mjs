// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { inputOf } from "./http-fuzz/inputs.mjs";
import { fuzz } from "./http-fuzz/run.mjs";
import { shrink } from "./http-fuzz/shrink.mjs";

test("five thousand generated and damaged messages are understood alike, whole and in pieces, by Node's parser and ours", async () => {
  const { findings, passed, outcomes, count } = await fuzz({ count: 5_000, seed: 5 });
  assert.deepEqual(findings, []);
  assert.ok(passed);
  assert.equal(count, 5_000);
  // Inputs that only ever end the same way would prove nothing.
  for (const outcome of [
    "request: 1 taken",
    "request: 3 taken",
    "request: more awaited",
    "answer: 1 taken",
    "request refused: both-lengths",
    "request refused: chunk-size",
    "request refused: trailer",
    "answer refused: status-line",
  ]) {
    assert.ok((outcomes[outcome] ?? 0) > 0, outcome);
  }
});

test("a seed gives the same inputs again, and another one others", () => {
  const some = (/** @type {number} */ seed) =>
    Array.from({ length: 20 }, (_, number) => inputOf(seed, number));
  assert.deepEqual(some(7), some(7));
  assert.notDeepEqual(some(7), some(8));
});

test("a failing message is made as short as it gets", async () => {
  const bytes = Buffer.from("one two three four five");
  const shrunk = await shrink(bytes, async (candidate) => /t.*f/.test(candidate.toString()));
  assert.equal(shrunk.toString(), "tf");
});
