// @ts-check
// Whether contexts of finished requests stay: the heap of service A after a collection, again and again under load.
import { median, startLoad, startService } from "./processes.mjs";

/** Turns of load; the first ones are left out, since caches and compiled code still grow there. */
const turns = 12;
const warmUpTurns = 4;

/** @param {number} port @returns {Promise<number>} bytes */
async function heapBytes(port) {
  const url = `http://127.0.0.1:${port}/memory`;
  // The first collection ends what the second one can then free.
  await fetch(url, { headers: { connection: "close" } });
  const response = await fetch(url, { headers: { connection: "close" } });
  const { heapUsed, external } = /** @type {NodeJS.MemoryUsage} */ (await response.json());
  return heapUsed + external;
}

/** @param {{ node: string, client: string, requests: number }} options */
export async function measureMemory({ node, client, requests }) {
  const b = await startService({ node, role: "B" });
  const a = await startService({
    node,
    role: "A",
    mode: "clew",
    client,
    target: b.port,
    flags: ["--expose-gc"],
  });
  const load = await startLoad({ node, port: a.port, connections: 24 });
  try {
    const samples = [];
    let sent = 0;
    for (let turn = 0; turn < turns; turn += 1) {
      while (sent < (requests / turns) * (turn + 1)) sent += (await load.run(500)).requests;
      samples.push(await heapBytes(a.port));
    }
    const steady = samples.slice(warmUpTurns);
    const half = steady.length >> 1;
    const grownBytes = median(steady.slice(half)) - median(steady.slice(0, half));
    return { requests: sent, heapBytes: median(steady), grownBytes };
  } finally {
    await load.stop();
    await a.stop();
    await b.stop();
  }
}
