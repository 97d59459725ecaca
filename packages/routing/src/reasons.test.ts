import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { reasons } from "./reasons.ts";

test("docs/reference/decisions.md lists each reason with its sentence, and no other", () => {
  const page = readFileSync(new URL("../../../docs/reference/decisions.md", import.meta.url), "utf8");
  const listed = [...page.matchAll(/^\| `([a-z-]+)` *\| (?:live|override) *\| (.+?) *\|$/gm)].map((row) => [
    row[1],
    row[2],
  ]);
  assert.deepEqual(listed, Object.entries(reasons));
});
