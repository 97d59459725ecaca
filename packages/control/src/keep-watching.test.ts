import assert from "node:assert/strict";
import { test } from "node:test";
import { keepWatching } from "./keep-watching.ts";
import { TestClock } from "./test/fixtures.ts";

/** How long each wait was, when every watch ends `livedMs` after it began. */
async function waits(livedMs: readonly number[], random: number): Promise<number[]> {
  const controller = new AbortController();
  const clock = new TestClock();
  const found: number[] = [];
  const lived = [...livedMs];
  await keepWatching({
    async *open() {
      yield 1;
      const ms = lived.shift();
      if (ms === undefined) controller.abort();
      else clock.advance(ms);
    },
    onEvent: () => true,
    onConnection: () => {},
    signal: controller.signal,
    clock: {
      now: () => clock.now(),
      after(delayMs, fn) {
        found.push(delayMs);
        queueMicrotask(fn);
        return () => {};
      },
    },
    random: () => random,
  });
  return found;
}

test("waits double up to 5 s, and are as long as chance says below that", async () => {
  const dead = Array<number>(8).fill(0);
  assert.deepEqual(await waits(dead, 1), [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  assert.deepEqual((await waits(dead, 0.5)).slice(0, 3), [50, 100, 200]);
});

test("a watch that was sound starts again with short waits", async () => {
  assert.deepEqual(await waits([0, 0, 5_000, 0], 1), [100, 200, 100, 200]);
});

test("only news of the connection is told", async () => {
  const controller = new AbortController();
  const endings = ["E_A", "E_A", "E_B", undefined, "E_B"];
  const told: unknown[] = [];
  await keepWatching({
    async *open() {
      const code = endings.shift();
      if (endings.length === 0) controller.abort();
      if (code === undefined) yield 1;
      throw Object.assign(new Error("x"), { code: code ?? "E_C" });
    },
    onEvent: () => true,
    onConnection: (up, error) => told.push(up || (error as { code: string }).code),
    signal: controller.signal,
    clock: {
      now: () => 0,
      after(_, fn) {
        queueMicrotask(fn);
        return () => {};
      },
    },
  });
  assert.deepEqual(told, ["E_A", "E_B", true, "E_C"]);
});
