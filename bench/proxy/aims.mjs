// @ts-check
// What one hop may cost. Judged on Node 24, which agents are shipped with.
import { peers } from "./peers.mjs";

const aims = {
  /** CPU per request, small and 64 KiB answers. */
  timesHaproxy: 1.15,
  timesGo: 0.5,
  /** CPU per request where each has a connection of its own. */
  connectionTimesHaproxy: 2.2,
  /** What is added to the median latency at a fixed rate. */
  addedTimesNginx: 1,
  /** 10,000 overrides against none; two processes of one program differ by more. */
  timesEmptyTable: 1.03,
  restMiB: 70,
  connectionKiB: 20,
};
const judgedMajor = 24;
/** Whose cost is the product's. */
const judgedPeer = "clew";
const kib = 1_024;

/** @typedef {{ what: string, value: number, aim: string, met: boolean }} Judged */
/** @typedef {import("./report.mjs").Row} Row */

/** @param {string} what @param {number} value @param {number} most @returns {Judged} */
function atMost(what, value, most) {
  return {
    what: `${peers[judgedPeer]?.title}: ${what}`,
    value: Number(value.toPrecision(3)),
    aim: `at most ${most}`,
    met: value <= most,
  };
}

/** Nothing is said against a peer that was left out. @param {number} major @param {string} part @param {readonly Row[]} rows */
export function judgeLoad(major, part, rows) {
  const row = (/** @type {string} */ name) => rows.find((one) => one.name === name);
  const ours = row(judgedPeer);
  if (major !== judgedMajor || ours === undefined) return [];
  /** @type {Judged[]} */
  const judged = [];
  const compare = (
    /** @type {string} */ peer,
    /** @type {"cpuUs" | "addedP50Us"} */ figure,
    /** @type {number} */ most,
  ) => {
    const theirs = row(peer);
    if (theirs === undefined) return;
    const what = `${part}, ${figure === "cpuUs" ? "CPU" : "added p50"}, times ${peers[peer]?.title}`;
    judged.push(atMost(what, ours[figure] / theirs[figure], most));
  };
  if (part === "small" || part === "large") {
    compare("haproxy", "cpuUs", aims.timesHaproxy);
    compare("go", "cpuUs", aims.timesGo);
  }
  if (part === "connections") compare("haproxy", "cpuUs", aims.connectionTimesHaproxy);
  if (part === "latency") compare("nginx", "addedP50Us", aims.addedTimesNginx);
  return judged;
}

/** @param {number} major @param {readonly { kind: string, ratio: number }[]} rows */
export function judgeOverrides(major, rows) {
  if (major !== judgedMajor) return [];
  return rows.map(({ kind, ratio }) =>
    atMost(`10,000 overrides, ${kind}, times an empty table`, ratio, aims.timesEmptyTable),
  );
}

/** @param {number} major @param {readonly { name: string, restBytes: number, perConnectionBytes: number }[]} rows */
export function judgeMemory(major, rows) {
  const ours = rows.find(({ name }) => name === judgedPeer);
  if (major !== judgedMajor || ours === undefined) return [];
  return [
    atMost("at rest, MiB", ours.restBytes / kib / kib, aims.restMiB),
    atMost("for each idle connection, KiB", ours.perConnectionBytes / kib, aims.connectionKiB),
  ];
}
