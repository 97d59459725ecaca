// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { sampleInputs } from "./fuzz/inputs.mjs";
import { fuzz } from "./fuzz/run.mjs";

test("a thousand damaged and invented requests are each answered, with a code, within little memory", async () => {
  const { findings, passed, codes } = await fuzz({ node: process.execPath, count: 1_000, seed: 4 });
  assert.deepEqual(findings, []);
  assert.ok(passed);
  // Inputs that only ever end the same way would prove nothing.
  for (const outcome of ["a result", "PARSE_ERROR", "INVALID_REQUEST", "FUNCTION_NOT_FOUND"]) {
    assert.ok((codes[outcome] ?? 0) > 0, outcome);
  }
});

test("a seed gives the same inputs again, and another one others", () => {
  assert.deepEqual(sampleInputs(7, 20), sampleInputs(7, 20));
  assert.notDeepEqual(sampleInputs(7, 20), sampleInputs(8, 20));
});
