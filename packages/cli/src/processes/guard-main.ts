// Ends process groups whose keeper died without a word (kill -9). Runs as a process of its own: reads
// `+pid` and `-pid` lines on standard input, and when that ends, sends SIGTERM and then SIGKILL to what is left.
import { createInterface } from "node:readline";

/** Time between SIGTERM and SIGKILL: enough to close a server, too short to be taken for a hang. */
const graceMs = 2_000;

const groups = new Set<number>();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const pid = Number(line.slice(1));
    if (line.startsWith("+")) groups.add(pid);
    else groups.delete(pid);
  })
  .on("close", () => {
    if (groups.size === 0) return;
    signalAll("SIGTERM");
    setTimeout(() => signalAll("SIGKILL"), graceMs);
  });

function signalAll(signal: NodeJS.Signals): void {
  for (const pid of groups) {
    try {
      process.kill(-pid, signal);
    } catch {
      groups.delete(pid); // already gone, which is what is wanted
    }
  }
}
