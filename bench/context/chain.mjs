// @ts-check
// A → B over kept connections: all modes' processes live side by side and get short turns of load in changing order,
// so that whatever else the machine does falls on all of them. Only ratios within a round count.
import { cpuUs, median, modes, startLoad, startService } from "./processes.mjs";

/** @typedef {import("./processes.mjs").Mode} Mode */
/** @typedef {{ rps: number, cpuUs: number, p50Us: number, p99Us: number }} Turn */
/** @typedef {Record<Mode, Turn>} Round */

const modeNames = /** @type {Mode[]} */ (Object.keys(modes));

/**
 * @typedef {object} ChainOptions
 * @property {string} node
 * @property {string} client `http` or `fetch`.
 * @property {number} sets How often all processes are started anew, as no two starts are alike.
 * @property {number} rounds Turns of each mode in a set.
 * @property {number} turnMs
 * @property {number} warmUpMs
 */

/** @param {ChainOptions} options */
export async function measureChain(options) {
  /** @type {Round[]} */
  const rounds = [];
  for (let set = 0; set < options.sets; set += 1) rounds.push(...(await measureSet(options)));
  return { rounds: rounds.length, ...summarize(rounds) };
}

/** @param {ChainOptions} options @returns {Promise<Round[]>} */
async function measureSet({ node, client, rounds: count, turnMs, warmUpMs }) {
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  try {
    const b = await startService({ node, role: "B" });
    stops.push(b.stop);
    /** @type {{ mode: Mode, pid: number, load: Awaited<ReturnType<typeof startLoad>> }[]} */
    const chains = [];
    for (const mode of modeNames) {
      const a = await startService({ node, role: "A", mode, client, target: b.port });
      stops.push(a.stop);
      const load = await startLoad({ node: process.execPath, port: a.port, connections: 24 });
      stops.push(load.stop);
      chains.push({ mode, pid: a.pid, load });
    }
    for (const { load } of chains) await load.run(warmUpMs);
    const rounds = [];
    for (let round = 0; round < count; round += 1) {
      const turns = [];
      for (const { mode, pid, load } of round % 2 === 0 ? chains : chains.toReversed()) {
        const before = cpuUs(pid);
        const { requests, ms, p50Us, p99Us } = await load.run(turnMs);
        const used = cpuUs(pid) - before;
        turns.push([mode, { rps: requests / (ms / 1000), cpuUs: used / requests, p50Us, p99Us }]);
      }
      rounds.push(/** @type {Round} */ (Object.fromEntries(turns)));
    }
    return rounds;
  } finally {
    // The load first, to which a service that ends would look like one that failed.
    for (const stop of stops.toReversed()) await stop();
  }
}

/** @param {Round[]} rounds */
function summarize(rounds) {
  const medianOf = (/** @type {(round: Round) => number} */ value) => median(rounds.map(value));
  const rows = modeNames.map((mode) => ({
    mode,
    rps: Math.round(medianOf((round) => round[mode].rps)),
    ofBare: medianOf((round) => round[mode].rps / round.bare.rps),
    ofAls: medianOf((round) => round[mode].rps / round.als.rps),
    cpuUs: medianOf((round) => round[mode].cpuUs),
    addedCpuUs: medianOf((round) => round[mode].cpuUs - round.bare.cpuUs),
    addedToAlsCpuUs: medianOf((round) => round[mode].cpuUs - round.als.cpuUs),
    p50Us: medianOf((round) => round[mode].p50Us),
    p99Us: medianOf((round) => round[mode].p99Us),
  }));
  // Paired within each round, as the machine was the same there.
  const cpuShareOfOtel = medianOf(
    ({ clew, bare, "otel-http": otel }) => (clew.cpuUs - bare.cpuUs) / (otel.cpuUs - bare.cpuUs),
  );
  return { rows, cpuShareOfOtel };
}
