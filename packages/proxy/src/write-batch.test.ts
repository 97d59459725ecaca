import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { WriteBatch } from "./write-batch.ts";

function createWriter(): { flush(): void; flushed: number } {
  return {
    flushed: 0,
    flush() {
      this.flushed++;
    },
  };
}

test("pieces wait for the end of the turn from so many writes in a second, and no longer than that", async () => {
  const batch = new WriteBatch(1_000);
  const writer = createWriter();
  for (let write = 0; write < 100; write++) assert.equal(batch.takes(writer, 700), false);
  batch.sweep(100);
  assert.equal(batch.takes(writer, 700), true);
  assert.equal(batch.takes(writer, 700), true);
  assert.equal(writer.flushed, 0);
  await setImmediate();
  assert.equal(writer.flushed, 2);
  assert.equal(batch.takes(writer, 700), true);
  await setImmediate();
  assert.equal(writer.flushed, 3);
  batch.sweep(100);
  assert.equal(batch.takes(writer, 700), false);
});

test("large pieces never wait, and where no writes are enough, small ones always do", async () => {
  const batch = new WriteBatch(0);
  const writer = createWriter();
  assert.equal(batch.takes(writer, 64 * 1024), false);
  assert.equal(batch.takes(writer, 1), true);
  batch.sweep(1_000);
  assert.equal(batch.takes(writer, 1), true);
  await setImmediate();
  assert.equal(writer.flushed, 2);
});
