// @ts-check
// Turns of load, one proxy after the other in random order, round after round, so that the machine's moods fall on all.
import { setTimeout } from "node:timers/promises";
import { startBackEnd, startPeer } from "./peers.mjs";
import { cpuUs, machineBusyUs, ownCpuUs } from "./processes.mjs";

/** Between turns, for what the one before has still to do. */
const pauseMs = 60;

/** Cores that others may use during a turn before it counts as disturbed. */
export const quietCores = 0.2;
/** So many of the quietest turns count even where all are disturbed. */
const leastTurns = 3;

/** @typedef {{ rps: number, cpuUs: number, p50Us: number, p99Us: number, foreignCores: number, round: number }} Turn */
/** @typedef {{ name: string, pid: number | undefined, port: number, turns: Turn[] }} Subject */

/**
 * @param {object} options
 * @param {import("./peers.mjs").World} options.world
 * @param {import("./loads.mjs").Load} options.load
 * @param {readonly string[]} options.names Of peers; `straight`, the back end itself, goes with them.
 * @param {number} options.rounds
 * @param {number} options.turnMs
 * @param {number} options.warmUpMs
 * @returns {Promise<Subject[]>}
 */
export async function measureLoad({ world, load, names, rounds, turnMs, warmUpMs }) {
  /** @type {(() => Promise<void>)[]} */
  const stops = [];
  try {
    const backEnd = await startBackEnd(world, load.backEnd);
    stops.push(backEnd.stop);
    /** @type {Subject[]} */
    const subjects = [{ name: "straight", pid: undefined, port: backEnd.port, turns: [] }];
    for (const name of names) {
      const { pid, port, stop } = await startPeer(world, name, backEnd.port);
      stops.push(stop);
      subjects.push({ name, pid, port, turns: [] });
    }
    for (const subject of subjects) await checkAnswer(subject, load);
    const generator = load.generator(world);
    stops.push(generator.stop);
    const pids = [backEnd.pid, ...(generator.pid === undefined ? [] : [generator.pid])];
    for (const { name, port } of subjects) {
      await generator.run(port, warmUpMs).catch((cause) => {
        throw new Error(`${name} failed under load`, { cause });
      });
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const subject of shuffled(subjects)) {
        await setTimeout(pauseMs);
        subject.turns.push(await takeTurn(subject, { generator, pids, turnMs, round }));
      }
    }
    return subjects;
  } finally {
    // The load first, to which a proxy that ends would look like one that failed.
    for (const stop of stops.toReversed()) await stop();
  }
}

/**
 * @param {{ pid: number | undefined, port: number }} subject
 * @param {{ generator: import("./generators.mjs").Generator, pids: readonly number[], turnMs: number, round: number }} options
 * @returns {Promise<Turn>}
 */
export async function takeTurn({ pid, port }, { generator, pids, turnMs, round }) {
  const all = [...pids, ...(pid === undefined ? [] : [pid])];
  const clock = () => ({
    at: performance.now(),
    proxy: pid === undefined ? 0 : cpuUs(pid),
    foreign: machineBusyUs() - ownCpuUs() - all.reduce((total, each) => total + cpuUs(each), 0),
  });
  const before = clock();
  const { requests, ms, p50Us, p99Us } = await generator.run(port, turnMs);
  const after = clock();
  return {
    round,
    rps: (requests / ms) * 1_000,
    cpuUs: (after.proxy - before.proxy) / requests,
    p50Us,
    p99Us,
    foreignCores: Math.max(0, (after.foreign - before.foreign) / 1_000 / (after.at - before.at)),
  };
}

/**
 * A proxy that answers something else would win for nothing.
 * @param {Subject} subject @param {import("./loads.mjs").Load} load
 */
async function checkAnswer({ name, port }, { path, bytes }) {
  if (path === undefined) return;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
  const { length } = await response.text();
  if (response.status !== 200 || length !== bytes) {
    throw new Error(`${name} answered ${response.status} with ${length} bytes in place of ${bytes}`);
  }
}

/** The turns that nobody else disturbed, or else those that were disturbed least. @param {readonly Turn[]} turns */
export function quietTurns(turns) {
  const quiet = turns.filter(({ foreignCores }) => foreignCores <= quietCores);
  if (quiet.length >= leastTurns) return quiet;
  return turns.toSorted((a, b) => a.foreignCores - b.foreignCores).slice(0, leastTurns);
}

/**
 * No proxy may always follow the same other one.
 * @template T
 * @param {readonly T[]} items
 */
export function shuffled(items) {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
