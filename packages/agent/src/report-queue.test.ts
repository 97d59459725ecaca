import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionReport, ManagerClient } from "@clew/control";
import { defaultAgentLimits } from "./agent-options.ts";
import { createReportQueue } from "./report-queue.ts";

const report: DecisionReport = {
  service: "orders",
  agent: "a1",
  port: "http",
  method: "GET",
  path: "/",
  atUs: 1,
  destination: "override",
  reason: "route",
  decideUs: 1,
  durationMs: 1,
};

/** Calls with reports, each of which waits until it is let go. */
function createClient(): {
  client: Pick<ManagerClient, "decisions">;
  calls: number[];
  answer: (error?: Error) => void;
} {
  const calls: number[] = [];
  const waiting: Array<(error?: Error) => void> = [];
  const send = ({ decisions }: { decisions: readonly DecisionReport[] }): Promise<Record<string, never>> =>
    new Promise((resolve, reject) => {
      calls.push(decisions.length);
      waiting.push((error) => (error === undefined ? resolve({}) : reject(error)));
    });
  const client = { decisions: { report: send } } as unknown as Pick<ManagerClient, "decisions">;
  return { client, calls, answer: (error) => waiting.shift()?.(error) };
}

test("one call at a time, with no more reports than a call may have; what comes meanwhile goes with the next", async () => {
  const { client, calls, answer } = createClient();
  const queue = createReportQueue({
    client,
    limits: defaultAgentLimits,
    onDropped: () => assert.fail("lost"),
  });
  for (let count = 0; count < 250; count += 1) queue.add(report);
  queue.add({ ...report, nonce: "n" });
  assert.deepEqual(calls, [200]);
  queue.add({ ...report, nonce: "n" });
  assert.deepEqual(calls, [200]);
  const closed = queue.close();
  answer();
  await new Promise(setImmediate);
  assert.deepEqual(calls, [200, 52]);
  answer();
  await closed;
});

test("beyond the limit reports are dropped, and the count is told; so are those of a call that failed", async () => {
  const dropped: number[] = [];
  const { client, calls, answer } = createClient();
  const limits = { ...defaultAgentLimits, maxQueuedReports: 3 };
  const queue = createReportQueue({ client, limits, onDropped: (count) => dropped.push(count) });
  queue.add({ ...report, nonce: "n" });
  for (let count = 0; count < 5; count += 1) queue.add(report);
  answer();
  await new Promise(setImmediate);
  assert.deepEqual([calls, dropped], [[1, 3], []]);
  answer(new Error("gone"));
  await queue.close();
  assert.deepEqual(dropped, [5]);
  queue.add(report);
  assert.deepEqual(calls, [1, 3]);
});
