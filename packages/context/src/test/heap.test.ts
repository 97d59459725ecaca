import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("contexts of finished requests are collected: of 100,000 none is left, and the heap has not grown", () => {
  const script = fileURLToPath(new URL("./finished-requests.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", script, "100000"], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  const { finished, left, grownBytes } = JSON.parse(stdout) as Record<string, number>;
  assert.equal(finished, 100_000);
  // The last ones may still stand on the stack or in a register of whoever asks for the collection.
  assert.ok((left ?? finished) <= 10, `${left} of ${finished} contexts are still held`);
  assert.ok((grownBytes ?? 0) < 4_000_000, `the heap grew by ${grownBytes} bytes`);
});
