// @ts-check
// Turns of load, each server after the other, round after round; ratios are taken within a round.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { peers, requestText } from "./peers.mjs";

const serverFile = fileURLToPath(new URL("./server.mjs", import.meta.url));
const loadFile = fileURLToPath(new URL("./load.mjs", import.meta.url));

/** @typedef {{ requests: number, ms: number, p50Us: number, p99Us: number }} LoadReport */
/** @typedef {{ rps: number, cpuUs: number, p50Us: number, p99Us: number }} Turn */

/** Of all threads of a process, to the nanosecond. Source: Linux, Documentation/scheduler/sched-stats.rst. @param {number} pid */
function cpuSeconds(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) => {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  });
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9;
}

/**
 * A server that answers something else would win for nothing.
 * @param {string} name @param {number} port @param {number} lines
 */
async function checkAnswer(name, port, lines) {
  const asked = peers[name]?.request(lines);
  const headers = { "content-type": "application/json", ...asked?.headers };
  const body = JSON.stringify(asked?.body);
  const response = await fetch(`http://127.0.0.1:${port}${asked?.path}`, { method: "POST", headers, body });
  const text = await response.text();
  const isRight = text.includes('"status":"open"') && text.split("WIDGET-0001").length === lines + 1;
  if (!isRight) throw new Error(`${name} answered ${response.status}: ${text.slice(0, 300)}`);
}

/** @param {string} file @param {string[]} args @param {string} node @param {string[]} [flags] */
function startProcess(file, args, node, flags = []) {
  return fork(file, args, {
    execPath: node,
    execArgv: flags,
    env: { ...process.env, NODE_ENV: "production" },
  });
}

/** @param {import("node:child_process").ChildProcess} load @param {object} order @returns {Promise<LoadReport>} */
async function runLoad(load, order) {
  load.send(order);
  const [report] = await once(load, "message");
  if ("error" in report) throw new Error(report.error);
  return report;
}

/**
 * @param {object} options
 * @param {string} options.node
 * @param {readonly string[]} options.names
 * @param {number} options.lines
 * @param {number} options.rounds
 * @param {number} options.turnMs
 * @param {number} options.warmUpMs
 * @param {number} options.connections
 */
export async function measure({ node, names, lines, rounds, turnMs, warmUpMs, connections }) {
  const load = startProcess(loadFile, [], node);
  const servers = [];
  for (const name of names) {
    const child = startProcess(serverFile, [name], node);
    const [{ port }] = await once(child, "message");
    await checkAnswer(name, port, lines);
    const peer = peers[name];
    if (peer === undefined) throw new Error(`no server is called ${name}`);
    servers.push({ name, child, port, request: requestText(peer, lines), turns: /** @type {Turn[]} */ ([]) });
  }
  try {
    // The first round warms up and does not count; so long that all that is hot has been compiled.
    for (let round = -1; round < rounds; round++) {
      for (const { child, port, request, turns } of round % 2 === 0 ? servers : servers.toReversed()) {
        const before = cpuSeconds(Number(child.pid));
        const order = { port, request, connections, ms: round < 0 ? warmUpMs : turnMs };
        const { requests, ms, p50Us, p99Us } = await runLoad(load, order);
        const cpuUs = ((cpuSeconds(Number(child.pid)) - before) / requests) * 1e6;
        if (round >= 0) turns.push({ rps: (requests / ms) * 1_000, cpuUs, p50Us, p99Us });
      }
    }
  } finally {
    for (const { child } of servers) child.disconnect();
    load.disconnect();
    await Promise.all([load, ...servers.map(({ child }) => child)].map((child) => once(child, "exit")));
  }
  return servers.map(({ name, turns }) => ({ name, turns }));
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
