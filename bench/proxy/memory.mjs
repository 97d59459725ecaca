// @ts-check
// What a proxy holds: at rest, and for each connection that has asked once and is kept.
import { setTimeout } from "node:timers/promises";
import { scriptLoad, wrkLoad } from "./generators.mjs";
import { startBackEnd, startPeer } from "./peers.mjs";
import { residentBytes } from "./processes.mjs";
import { requestText } from "./request.mjs";

/** Since start, before a process counts as at rest: what it loads late has been loaded, what it dropped collected. */
const restMs = 3_000;
/** After connections or load, for what they leave to be done. */
const settleMs = 2_000;

/**
 * One after the other, each in a process of its own.
 * @param {object} options
 * @param {import("./peers.mjs").World} options.world
 * @param {readonly string[]} options.names
 * @param {number} options.connections Below what each proxy takes at most by default, and below the descriptors that one has.
 */
export async function measureMemory({ world, names, connections }) {
  const backEnd = await startBackEnd(world, "nginx");
  try {
    const rows = [];
    for (const name of names)
      rows.push(await measureOne(world, name, { backEnd: backEnd.port, connections }));
    return rows;
  } finally {
    await backEnd.stop();
  }
}

/** @param {import("./peers.mjs").World} world @param {string} name @param {{ backEnd: number, connections: number }} options */
async function measureOne(world, name, { backEnd, connections }) {
  const { pid, port, stop } = await startPeer(world, name, backEnd);
  const idle = scriptLoad("idle-connections.mjs", process.execPath, {
    connections,
    request: requestText("/small"),
  });
  try {
    await setTimeout(restMs);
    const restBytes = residentBytes(pid);
    await idle.run(port, 0);
    await setTimeout(settleMs);
    // What the work of opening leaves in a heap is in it: more than a connection holds, and what a machine has to have.
    const perConnectionBytes = (residentBytes(pid) - restBytes) / connections;
    await idle.stop();
    const { folder, programs } = world;
    const wrk = wrkLoad({ wrk: programs["wrk"] ?? "", folder, path: "/small", connections: 64 });
    await wrk.run(port, 3_000);
    await setTimeout(settleMs);
    return { name, restBytes, perConnectionBytes, loadedBytes: residentBytes(pid) };
  } finally {
    await idle.stop();
    await stop();
  }
}
