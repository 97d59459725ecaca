import type { Connection } from "./connection.ts";

/** Waits until draining connections are closed, and cuts those that are not by then. Resolves when all are. */
export async function settleWithin(connections: readonly Connection[], graceMs: number): Promise<void> {
  const timer = setTimeout(() => {
    for (const connection of connections) connection.destroy();
  }, graceMs);
  await Promise.all(connections.map((connection) => connection.closed));
  clearTimeout(timer);
}
