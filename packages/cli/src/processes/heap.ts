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
 * Keeps V8's young generation at the 1 MiB to which {@link collectStartUpGarbage} brings it: for processes whose objects live as
 * long as a request. In a larger one more of them lie dead, and with them the bytes of bodies, outside of the heap: some 40 MiB,
 * in pieces that the allocator cannot give back. Small requests and answers cost hardly more for it; many large uploads
 * at once may (docs/reference/proxy.md).
 */
export function boundYoungGeneration(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/**
 * Lets V8 put three times as much of what a function calls into its machine code (V8's own: 460 bytes of bytecode of one callee,
 * 920 of all). The path of a request is many small steps, each taken once, and calls between them cost 2 % of all it costs.
 * A V8 that knows these flags no longer says so on standard error, and goes on.
 */
export function inlineMore(): void {
  setFlagsFromString("--max-inlined-bytecode-size=920");
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=2760");
}
