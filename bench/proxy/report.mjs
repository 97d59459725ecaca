// @ts-check
// Figures out of turns, and tables for people.
import { table } from "../../scripts/command.mjs";
import { median, quietTurns } from "./measure.mjs";
import { peers } from "./peers.mjs";

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {number} cpuUs Of the proxy, for each request.
 * @property {number} rps
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} addedP50Us Against the back end itself, in the same round.
 * @property {number} turns Those that count.
 * @property {number} foreignCores What others used meanwhile.
 */

const titleOf = (/** @type {string} */ name) => peers[name]?.title ?? name;
const fixed = (/** @type {number} */ value, digits = 1) => value.toFixed(digits);

/** @param {readonly import("./measure.mjs").Subject[]} subjects @returns {Row[]} */
export function summarize(subjects) {
  const straight = subjects.find(({ name }) => name === "straight")?.turns ?? [];
  return subjects.map(({ name, turns }) => {
    const quiet = quietTurns(turns);
    const middle = (/** @type {(turn: import("./measure.mjs").Turn) => number} */ value) =>
      median(quiet.map(value));
    return {
      name,
      cpuUs: middle(({ cpuUs }) => cpuUs),
      rps: Math.round(middle(({ rps }) => rps)),
      p50Us: middle(({ p50Us }) => p50Us),
      p99Us: middle(({ p99Us }) => p99Us),
      addedP50Us: middle(({ p50Us, round }) => p50Us - (straight[round]?.p50Us ?? Number.NaN)),
      turns: quiet.length,
      foreignCores: Number(middle(({ foreignCores }) => foreignCores).toFixed(2)),
    };
  });
}

/** @param {readonly Row[]} rows @param {string} unit */
export function loadTable(rows, unit) {
  const haproxy = rows.find(({ name }) => name === "haproxy")?.cpuUs;
  return table([
    ["", `CPU µs/${unit}`, "× HAProxy", `${unit}/s`, "p50 µs", "added", "p99 µs", "turns", "others' cores"],
    ...rows.map((row) => {
      const isProxy = row.name !== "straight";
      return [
        titleOf(row.name),
        isProxy ? fixed(row.cpuUs) : "–",
        isProxy && haproxy !== undefined ? fixed(row.cpuUs / haproxy, 2) : "–",
        row.rps,
        Math.round(row.p50Us),
        isProxy ? Math.round(row.addedP50Us) : "–",
        Math.round(row.p99Us),
        row.turns,
        fixed(row.foreignCores, 2),
      ];
    }),
  ]);
}

/** @param {readonly { kind: string, emptyCpuUs: number, manyCpuUs: number, ratio: number }[]} rows */
export function overridesTable(rows) {
  return table([
    ["requests with", "empty table, CPU µs/req", "10,000 overrides", "ratio"],
    ...rows.map(({ kind, emptyCpuUs, manyCpuUs, ratio }) => [
      kind,
      fixed(emptyCpuUs),
      fixed(manyCpuUs),
      fixed(ratio, 3),
    ]),
  ]);
}

/** @param {readonly { name: string, restBytes: number, perConnectionBytes: number, loadedBytes: number }[]} rows */
export function memoryTable(rows) {
  const mib = (/** @type {number} */ bytes) => fixed(bytes / 1_024 / 1_024);
  return table([
    ["", "at rest, MiB", "KiB per idle connection", "after load, MiB"],
    ...rows.map(({ name, restBytes, perConnectionBytes, loadedBytes }) => [
      titleOf(name),
      mib(restBytes),
      fixed(perConnectionBytes / 1_024),
      mib(loadedBytes),
    ]),
  ]);
}
