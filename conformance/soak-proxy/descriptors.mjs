// @ts-check
// What a process has open: connections that nobody ends would show in no answer.
import { readdirSync } from "node:fs";
import { until } from "@clew/testing";

/** Kept connections to an upstream are ended after 4 s, and looked for every second. */
const closeTimeoutMs = 20_000;

/** Undefined where there is no /proc. @param {number} pid */
export function openDescriptors(pid) {
  return process.platform === "linux" ? readdirSync(`/proc/${pid}/fd`).length : undefined;
}

/**
 * How many more than before are open once all had time to be closed.
 * @param {number} pid @param {number | undefined} before
 */
export async function leftOpen(pid, before) {
  if (before === undefined) return 0;
  const more = () => Math.max(0, (openDescriptors(pid) ?? 0) - before);
  await until(() => more() === 0, { timeoutMs: closeTimeoutMs }).catch(() => {
    // What is left then is the result.
  });
  return more();
}
