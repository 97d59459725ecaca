// @ts-check
// What asks: wrk for as much as goes, our own for a fixed rate and for WebSockets. All on the load's core.
import { execFile, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { cores, isPinned, onCore } from "./processes.mjs";
import { largeBytes, requestFields } from "./request.mjs";

/** @typedef {{ requests: number, ms: number, p50Us: number, p99Us: number }} LoadReport */
/** @typedef {{ pid: number | undefined, run: (port: number, ms: number) => Promise<LoadReport>, stop: () => Promise<void> }} Generator */

const run = promisify(execFile);
const microseconds = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 };

/**
 * `wrk`, whose turns are whole seconds.
 * @param {object} options
 * @param {string} options.wrk Where it is.
 * @param {string} options.folder
 * @param {string} options.path
 * @param {number} options.connections
 * @param {boolean} [options.isUpload] A POST with 64 KiB.
 * @param {Parameters<typeof requestFields>[0]} [options.fields]
 * @returns {Generator}
 */
export function wrkLoad({ wrk, folder, path, connections, isUpload = false, fields = {} }) {
  const headers = Object.entries(requestFields(fields)).flatMap(([name, value]) => [
    "-H",
    `${name}: ${value}`,
  ]);
  const script = join(folder, "upload.lua");
  if (isUpload) {
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${largeBytes})\n`);
  }
  return {
    pid: undefined,
    async run(port, ms) {
      const seconds = Math.max(1, Math.round(ms / 1_000));
      const [file, args] = onCore(cores.load, wrk, [
        "-t1",
        `-c${connections}`,
        `-d${seconds}s`,
        "--latency",
        ...headers,
        ...(isUpload ? ["-s", script] : []),
        `http://127.0.0.1:${port}${path}`,
      ]);
      const { stdout } = await run(file, args);
      return parseWrk(stdout);
    },
    stop: async () => {},
  };
}

/** @param {string} text @returns {LoadReport} */
function parseWrk(text) {
  const failed = /Non-2xx.*|Socket errors.*/.exec(text)?.[0];
  const [, requests, duration, unit] = /(\d+) requests in ([\d.]+)(us|ms|s|m),/.exec(text) ?? [];
  if (failed !== undefined || !(Number(requests) > 0)) throw new Error(`wrk: ${failed ?? text}`);
  const percentile = (/** @type {number} */ share) => {
    const [, value, of] = new RegExp(`^ +${share}% +([\\d.]+)(us|ms|s|m)$`, "m").exec(text) ?? [];
    return Number(value) * microseconds[/** @type {keyof typeof microseconds} */ (of)];
  };
  const us = Number(duration) * microseconds[/** @type {keyof typeof microseconds} */ (unit)];
  return { requests: Number(requests), ms: us / 1_000, p50Us: percentile(50), p99Us: percentile(99) };
}

/**
 * A script beside this one, which lives for all turns, so that it is warm.
 * @param {string} script @param {string} node @param {Record<string, unknown>} order
 * @returns {Generator}
 */
export function scriptLoad(script, node, order) {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = isPinned
    ? fork(file, [], { execPath: "taskset", execArgv: ["-c", String(cores.load), node] })
    : fork(file, [], { execPath: node, execArgv: [] });
  const ended = once(child, "exit");
  return {
    pid: child.pid,
    async run(port, ms) {
      child.send({ ...order, port, ms });
      const [report] = await Promise.race([once(child, "message"), ended]);
      if (report === null || typeof report !== "object") throw new Error(`${script} ended before its turn`);
      if ("error" in report) throw new Error(report.error);
      return report;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
