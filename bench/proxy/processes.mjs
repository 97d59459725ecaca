// @ts-check
// Processes on a core of their own, and what they used. Linux only: CPU time and memory are read from /proc.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { availableParallelism } from "node:os";
import { until } from "@clew/testing";

/** Who is measured has a core of its own; load and back end share the other. */
export const cores = { proxy: 0, load: 1 };
export const isPinned = availableParallelism() >= 2 && spawnSync("taskset", ["--version"]).status === 0;

/** For a program to listen: many times what the slowest takes on a busy machine. */
const startTimeoutMs = 30_000;
/** For a program to end by itself before it is killed. */
const endGraceMs = 3_000;

/** @typedef {{ pid: number, port: number, stop: () => Promise<void> }} Running */

/**
 * @param {number} core @param {string} file @param {readonly string[]} args
 * @returns {[string, string[]]}
 */
export function onCore(core, file, args) {
  return isPinned ? ["taskset", ["-c", String(core), file, ...args]] : [file, [...args]];
}

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
// Whatever ends this process ends what it started.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"]))
  process.once(signal, () => process.exit(130));

/**
 * Starts a server, and waits until it accepts connections.
 * @param {object} options
 * @param {number} options.core
 * @param {readonly string[]} options.command
 * @param {number} options.port
 * @param {string} [options.cwd]
 * @param {Record<string, string>} [options.env]
 * @returns {Promise<Running>}
 */
export async function startServer({ core, command, port, cwd, env = {} }) {
  const [program = "", ...rest] = command;
  const [file, args] = onCore(core, program, rest);
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, NODE_ENV: "production", ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  running.add(child);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    stderr = (stderr + text).slice(-4_000);
  });
  const ended = once(child, "exit").then(() => running.delete(child));
  const stop = async () => {
    if (!running.has(child)) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), endGraceMs);
    await ended;
    clearTimeout(timer);
  };
  try {
    const check = async () => {
      if (child.exitCode !== null) throw new Error(`${command.join(" ")} ended`);
      return accepts(port);
    };
    await until(check, { timeoutMs: startTimeoutMs, what: `${program} listens on ${port}` });
  } catch (error) {
    await stop();
    throw new Error(`${command.join(" ")} does not run:\n${stderr}`, { cause: error });
  }
  return { pid: Number(child.pid), port, stop };
}

/** @param {number} port @returns {Promise<boolean>} */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** Ticks of /proc/stat and /proc/PID/stat per second, as of every Linux that Node runs on. */
const ticksPerSecond = 100;

/**
 * Time on a CPU of all threads of a process, in µs. Source: Documentation/scheduler/sched-stats.rst of Linux
 * @param {number} pid
 */
export function cpuUs(pid) {
  let nanoseconds = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const [onCpu] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ");
    nanoseconds += Number(onCpu);
  }
  return nanoseconds / 1_000;
}

/** User and system time of this process and of the children that it has waited for, in µs. */
export function ownCpuUs() {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // The second field, the name, may hold spaces; what counts is behind its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return sum(fields.slice(11, 15).map(Number)) * (1e6 / ticksPerSecond);
}

/** What all cores have been busy with since the machine started, in µs. Source: proc_stat(5) */
export function machineBusyUs() {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  // user nice system idle iowait irq softirq steal; what guests use is in `user` already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq + steal) * (1e6 / ticksPerSecond);
}

/** @param {number} pid */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
