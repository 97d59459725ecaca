import { setFlagsFromString } from "node:v8";

/**
 * Collects what reading the configuration and loading code left behind, some 10 MiB that a process without load would hold for ever:
 * V8 collects only as fast as memory is asked for. Takes about 20 ms, once.
 */
export async function collectStartUpGarbage(): Promise<void> {
  // A Node built without its inspector goes on as it is.
  if (!process.features.inspector) return;
  const { Session } = await import("node:inspector/promises");
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}

/**
 * Suits V8 to processes whose objects live as long as a request, and whose path of a request is many small steps. To be called after
 * {@link collectStartUpGarbage}. A V8 that knows one of these flags no longer says so on standard error, and goes on.
 */
export function suitToRequests(): void {
  // Off until now, by bin/clew.js.
  setFlagsFromString("--opt");
  // Keeps the young generation at the 1 MiB to which the collection brings it. In a larger one more objects lie dead, and with them
  // the bytes of bodies, outside of the heap: some 40 MiB, in pieces that the allocator cannot give back.
  setFlagsFromString("--semi-space-growth-factor=1");
  // Bytes of bodies count towards the old generation's limit, some 20 MiB of them between two collections of the young one. V8 leaves
  // a heap of 12 MiB less room than that, and would collect all of it again and again: half of what an upload of 64 KiB costs.
  setFlagsFromString("--heap-growing-percent=200");
  // Three times as much of what a function calls goes into its machine code (V8's own: 460 bytes of bytecode of one callee, 920 of
  // all): calls between small steps cost 2 % of all that a small request costs.
  setFlagsFromString("--max-inlined-bytecode-size=920");
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=2760");
}
