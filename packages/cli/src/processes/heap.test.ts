import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { suitToRequests } from "./heap.ts";

setFlagsFromString("--allow-natives-syntax");
const statusOf = new Function("fn", "return %GetOptimizationStatus(fn)") as (fn: unknown) => number;
/** Of V8's optimization status, as of Node 20 to 24. */
const isTurbofanned = 1 << 6;

/** Far more than a function has to be called to be optimized. Ends as soon as it is. */
async function isOptimized(fn: (count: number) => number): Promise<boolean> {
  for (let round = 0; round < 300; round++) {
    for (let call = 0; call < 1_000; call++) fn(100);
    if ((statusOf(fn) & isTurbofanned) !== 0) return true;
    // What is compiled beside the main thread is taken up between calls.
    await setImmediate();
  }
  return false;
}

function makeSum(): (count: number) => number {
  return new Function(
    "count",
    "let sum = 0; for (let at = 0; at < count; at++) sum += at % 7; return sum;",
  ) as never;
}

test("a process that began without optimizing optimizes from when it serves", async () => {
  setFlagsFromString("--no-opt");
  assert.equal(await isOptimized(makeSum()), false);
  suitToRequests();
  assert.equal(await isOptimized(makeSum()), true);
});
