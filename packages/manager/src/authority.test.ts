import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityOf, hostOf, isWildcardHost } from "./authority.ts";

test("takes an authority apart and puts it together", () => {
  assert.deepEqual(["a:1", "a", "[::1]:1", "[::1]"].map(hostOf), ["a", "a", "::1", "::1"]);
  assert.deepEqual([authorityOf("::1", 1), authorityOf("a", 1)], ["[::1]:1", "a:1"]);
  assert.deepEqual(["0.0.0.0", "::", "127.0.0.1"].map(isWildcardHost), [true, true, false]);
});
