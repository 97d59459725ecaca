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
