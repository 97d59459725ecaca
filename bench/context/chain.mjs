// @ts-check
// A → B over kept connections: all modes' processes live side by side and get many short turns of load in random order,
// so that whatever else the machine does falls on all of them. A set's figures are sums over its turns; ratios are made
// within a set, and their median over the sets counts, as no two starts of a process are alike.
import { setTimeout } from "node:timers/promises";
import { cpuUs, median, modes, startLoad, startService } from "./processes.mjs";

/** @typedef {import("./processes.mjs").Mode} Mode */
/** @typedef {{ rps: number, cpuUs: number, p50Us: number, p99Us: number }} Figures */
/** @typedef {Record<Mode, Figures>} Outcome */

/** Between turns, for what the process before has still to do. */
const pauseMs = 40;

const modeNames = /** @type {Mode[]} */ (Object.keys(modes));

/**
 * @typedef {object} ChainOptions
 * @property {string} node
 * @property {string} client `http` or `fetch`.
 * @property {number} sets How often all processes are started anew.
 * @property {number} rounds Turns of each mode in a set.
 * @property {number} turnMs
 * @property {number} warmUpMs
 */

/** @param {ChainOptions} options */
export async function measureChain(options) {
  /** @type {Outcome[]} */
  const sets = [];
  for (let set = 0; set < options.sets; set += 1) sets.push(await measureSet(options));
  return summarize(sets);
}

/** @param {ChainOptions} options @returns {Promise<Outcome>} */
async function measureSet({ node, client, rounds, turnMs, warmUpMs }) {
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  try {
    const b = await startService({ node, role: "B" });
    stops.push(b.stop);
    const chains = [];
    for (const mode of modeNames) {
      const a = await startService({ node, role: "A", mode, client, target: b.port });
      stops.push(a.stop);
      const load = await startLoad({ node: process.execPath, port: a.port, connections: 24 });
      stops.push(load.stop);
      // At once: V8 collects the whole heap of a process that is idle for 8 s, and what has hardly run by then may never
      // be optimized again. On Node 20 that costs one with any ES module loaded 10 µs for each request.
      await load.run(warmUpMs);
      chains.push({ mode, pid: a.pid, load, turns: /** @type {Turn[]} */ ([]), cpuBefore: 0 });
    }
    for (const chain of chains) chain.cpuBefore = cpuUs(chain.pid);
    for (let round = 0; round < rounds; round += 1) {
      for (const { load, turns } of shuffled(chains)) {
        turns.push(await load.run(turnMs));
        await setTimeout(pauseMs);
      }
    }
    const figures = chains.map(({ mode, pid, turns, cpuBefore }) => [
      mode,
      figuresOf(turns, cpuUs(pid) - cpuBefore),
    ]);
    return /** @type {Outcome} */ (Object.fromEntries(figures));
  } finally {
    // The load first, to which a service that ends would look like one that failed.
    for (const stop of stops.toReversed()) await stop();
  }
}

/**
 * No mode may always follow the same other one, whose garbage is collected meanwhile.
 * @template T
 * @param {readonly T[]} items
 */
function shuffled(items) {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** @typedef {import("./processes.mjs").LoadReport} Turn */

/** @param {readonly Turn[]} turns @param {number} usedUs @returns {Figures} */
function figuresOf(turns, usedUs) {
  const sum = (/** @type {"requests" | "ms"} */ key) => turns.reduce((total, turn) => total + turn[key], 0);
  return {
    rps: sum("requests") / (sum("ms") / 1000),
    cpuUs: usedUs / sum("requests"),
    p50Us: median(turns.map(({ p50Us }) => p50Us)),
    p99Us: median(turns.map(({ p99Us }) => p99Us)),
  };
}

/** @param {readonly Outcome[]} sets */
function summarize(sets) {
  const medianOf = (/** @type {(set: Outcome) => number} */ value) => median(sets.map(value));
  const rows = modeNames.map((mode) => ({
    mode,
    rps: Math.round(medianOf((set) => set[mode].rps)),
    ofBare: medianOf((set) => set[mode].rps / set.bare.rps),
    ofAls: medianOf((set) => set[mode].rps / set.als.rps),
    cpuUs: medianOf((set) => set[mode].cpuUs),
    addedCpuUs: medianOf((set) => set[mode].cpuUs - set.bare.cpuUs),
    addedToAlsCpuUs: medianOf((set) => set[mode].cpuUs - set.als.cpuUs),
    p50Us: medianOf((set) => set[mode].p50Us),
    p99Us: medianOf((set) => set[mode].p99Us),
  }));
  const cpuShareOfOtel = medianOf(
    ({ clew, bare, "otel-http": otel }) => (clew.cpuUs - bare.cpuUs) / (otel.cpuUs - bare.cpuUs),
  );
  return { sets: sets.length, rows, cpuShareOfOtel };
}
