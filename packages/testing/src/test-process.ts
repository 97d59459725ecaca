import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { until } from "./until.ts";

export interface ProcessOptions {
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Descriptors of this process that it inherits as 3, 4 … */
  readonly descriptors?: readonly number[] | undefined;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** All that it wrote so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** The first line of either output that matches, at once when it was already written. Rejects when the process ends without it. */
  waitForLine(pattern: RegExp | string, timeoutMs?: number): Promise<string>;
  /** Sends a signal to the process alone, not to its group, as a supervisor would. */
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL to the whole group after `graceMs` (default 2,000). Resolves when it is gone. */
  stop(graceMs?: number): Promise<ProcessExit>;
  readonly exited: Promise<ProcessExit>;
}

/** Groups that must not outlive this process. */
const running = new Set<number>();
process.on("exit", () => {
  for (const pid of running) killGroup(pid);
});

/** Starts a command in a process group of its own. The group is killed when it is disposed, or when this process ends. */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<TestProcess> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe", ...(options.descriptors ?? [])],
    detached: true,
  });
  await once(child, "spawn");
  const pid = child.pid as number;
  running.add(pid);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
    });
  }
  const exited = endOf(child);
  const stop = async (graceMs = 2_000): Promise<ProcessExit> => {
    child.kill("SIGTERM");
    const timer = setTimeout(killGroup, graceMs, pid);
    // Not its event `exit`, which may have come already: between that and `close` lies what still holds its output.
    try {
      return await exited;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    pid,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    waitForLine: (pattern, timeoutMs) => waitForLine(child, output, pattern, timeoutMs),
    signal: (name) => void child.kill(name),
    stop,
    exited,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

function endOf(child: ChildProcess): Promise<ProcessExit> {
  return new Promise((resolve) => {
    // `close`, not `exit`: only then all its output has come. What it left running in its group would hold the pipes open.
    child.once("exit", () => killGroup(child.pid as number));
    child.once("close", (code, signal) => {
      running.delete(child.pid as number);
      resolve({ code, signal });
    });
  });
}

async function waitForLine(
  child: ChildProcess,
  output: { readonly stdout: string; readonly stderr: string },
  pattern: RegExp | string,
  timeoutMs?: number,
): Promise<string> {
  const matches = (line: string): boolean =>
    typeof pattern === "string"
      ? line.includes(pattern)
      : new RegExp(pattern.source, pattern.flags).test(line);
  const told = (): string => `\nstdout:\n${output.stdout}\nstderr:\n${output.stderr}`;
  const find = (): { line?: string; over?: boolean } | false => {
    // Asked before the search, so that a last line written just before the end is still found.
    const over = child.stdout?.closed === true && child.stderr?.closed === true;
    const line = `${output.stdout}\n${output.stderr}`.split("\n").find(matches);
    return line === undefined ? over && { over } : { line };
  };
  try {
    const { line } = await until(find, { timeoutMs, what: `a line like ${pattern}` });
    if (line !== undefined) return line;
  } catch (error) {
    throw new Error((error as Error).message + told());
  }
  throw new Error(`the process ended without a line like ${pattern}${told()}`);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Safe: nobody is left in the group, which is what was wanted.
  }
}
