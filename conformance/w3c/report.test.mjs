// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUnittest } from "./report.mjs";

test("the outcome of each test is found, also behind output of its own and on Pythons that name the class's path", () => {
  const report = `test_one (__main__.A)
harness sends a request ... ok
test_two (__main__.A.test_two)
harness sends another ... FAIL
test_three (__main__.A) ... skipped 'strict'
test_four (__main__.A)
a page of words ... noise from elsewhere
ERROR

======================================================================
FAIL: test_two (__main__.A)
Ran 4 tests in 0.1s
`;
  assert.deepEqual(parseUnittest(report), [
    { name: "test_one", outcome: "ok" },
    { name: "test_two", outcome: "FAIL" },
    { name: "test_three", outcome: "skipped" },
    { name: "test_four", outcome: "ERROR" },
  ]);
});
