import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import type { ContextFaultEvent } from "@clew/context";
import { createMissingReporter } from "./missing-context.ts";

test("reports the first at once, then one report per interval with the count of what came meanwhile", () => {
  const counts: number[] = [];
  const onMissing = (event: unknown): void => void counts.push((event as ContextFaultEvent).count);
  subscribe("clew.context.missing", onMissing);
  let nowMs = 0;
  const missing = createMissingReporter(false, () => nowMs);
  missing();
  for (; nowMs < 60_000; nowMs += 20_000) missing();
  assert.deepEqual(counts, [1]);
  missing();
  assert.deepEqual(counts, [1, 4]);
  unsubscribe("clew.context.missing", onMissing);
});
