// @ts-check
// Loaded into the agent's process: says at intervals what it holds, after a collection, so that no garbage counts.
import { memoryUsage, stdout } from "node:process";

const intervalMs = Number(process.env["SOAK_SAMPLE_MS"]);

setInterval(() => {
  globalThis.gc?.();
  const { rss, heapUsed, external } = memoryUsage();
  stdout.write(`memory ${JSON.stringify({ rss, heapUsed, external })}\n`);
}, intervalMs).unref();
