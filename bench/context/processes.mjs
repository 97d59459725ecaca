// @ts-check
// The processes of the chain, and what they used. Linux only: CPU time is read from /proc.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const inFolder = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));
const clew = fileURLToPath(import.meta.resolve("@clew/node"));

/** What can be loaded into service A, by name; the order is that of the tables. */
export const modes = {
  bare: { args: [], env: {} },
  als: { args: [], env: { ALS: "1" } },
  clew: { args: ["--import", clew], env: {} },
  "otel-http": { args: ["--require", inFolder("opentelemetry-http.cjs")], env: {} },
  "otel-auto": { args: ["--require", inFolder("opentelemetry-auto.cjs")], env: {} },
};
/** @typedef {keyof typeof modes} Mode */

/** Whose CPU is measured has a core of its own; load and back end share the other. */
const pins = availableParallelism() >= 2 && spawnSync("taskset", ["--version"]).status === 0;

/**
 * @param {number} core @param {string} file @param {string[]} args @param {Record<string, string>} env
 */
async function start(core, file, args, env) {
  const [command, prefix] = pins ? ["taskset", ["-c", String(core), file]] : [file, []];
  const child = spawn(command, [...prefix, ...args], {
    env: { ...process.env, CLEW_SERVICE: "service-a", CLEW_WARN_MISSING: "0", ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const stop = async () => {
    if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
  };
  return { child, lines, pid: Number(child.pid), stop };
}

/**
 * @param {object} options
 * @param {string} options.node
 * @param {"A" | "B"} options.role
 * @param {Mode} [options.mode]
 * @param {string} [options.client]
 * @param {number} [options.target] B's port.
 * @param {string[]} [options.flags] More of Node's own.
 */
export async function startService({ node, role, mode = "bare", client = "http", target = 0, flags = [] }) {
  const { args, env } = modes[mode];
  const started = await start(role === "A" ? 0 : 1, node, [...flags, ...args, inFolder("app.cjs")], {
    ...env,
    ROLE: role,
    CLIENT: client,
    TARGET: String(target),
  });
  const [line] = await once(started.lines, "line");
  return { pid: started.pid, stop: started.stop, port: Number(String(line).slice("port ".length)) };
}

/** @typedef {{ requests: number, ms: number, p50Us: number, p99Us: number }} LoadReport */

/**
 * @param {{ node: string, port: number, connections: number }} options
 */
export async function startLoad({ node, port, connections }) {
  const { child, lines, stop } = await start(1, node, [inFolder("load.cjs")], {
    PORT: String(port),
    CONNECTIONS: String(connections),
  });
  const ended = once(child, "exit");
  return {
    stop,
    /** @param {number} ms @returns {Promise<LoadReport>} */
    async run(ms) {
      child.stdin.write(`run ${ms}\n`);
      const [line] = await Promise.race([once(lines, "line"), ended]);
      if (typeof line !== "string") throw new Error("the load generator ended before its run");
      return JSON.parse(line.slice("done ".length));
    },
  };
}

/** Ticks of /proc/PID/stat per second, as of every Linux that Node runs on. */
const ticksPerSecond = 100;

/**
 * User and system time of all threads of a process, in µs.
 * @param {number} pid
 */
export function cpuUs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field, the name, may hold spaces; what counts is behind its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * (1e6 / ticksPerSecond);
}

/**
 * @param {readonly number[]} values
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}
