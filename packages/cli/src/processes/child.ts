import { type ChildProcess, spawn } from "node:child_process";
import type { Guard } from "./guard.ts";

/** How a child process ended. */
export type Ending =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals }
  | { readonly kind: "error"; readonly error: Error };

export interface Child {
  readonly pid: number | undefined;
  readonly ended: Promise<Ending>;
  /** SIGTERM to the whole group, SIGKILL after `graceMs`; resolves when it has ended. */
  stop(graceMs: number): Promise<Ending>;
}

export interface ChildOptions {
  /** A program with its arguments, or one line for the shell. */
  readonly command: readonly [string, ...string[]] | string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guard: Guard;
  /** Where each line of its output goes. Absent: it shares our terminal. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Starts a command in a process group of its own, so that all it starts can be ended with it. */
export function startChild({ command, cwd, env, guard, onLine }: ChildOptions): Child {
  const output = onLine === undefined ? "inherit" : "pipe";
  const stdio = [onLine === undefined ? "inherit" : "ignore", output, output] as const;
  const options = { cwd, env: { ...env }, detached: true, stdio: [...stdio] };
  const child =
    typeof command === "string"
      ? spawn(command, { ...options, shell: true })
      : spawn(command[0], command.slice(1), options);
  const { pid } = child;
  if (pid !== undefined) guard.watch(pid);
  if (onLine) {
    forwardLines(child.stdout, onLine);
    forwardLines(child.stderr, onLine);
  }
  const ended = new Promise<Ending>((resolve) => {
    child.once("error", (error) => resolve({ kind: "error", error }));
    child.once("exit", (code, signal) => {
      resolve(signal === null ? { kind: "exit", code: code ?? 1 } : { kind: "signal", signal });
    });
  }).finally(() => {
    if (pid !== undefined) guard.release(pid);
  });
  return { pid, ended, stop: (graceMs) => stopGroup(child, ended, graceMs) };
}

async function stopGroup(child: ChildProcess, ended: Promise<Ending>, graceMs: number): Promise<Ending> {
  signalGroup(child, "SIGTERM");
  const cut = setTimeout(() => signalGroup(child, "SIGKILL"), graceMs);
  const ending = await ended;
  clearTimeout(cut);
  signalGroup(child, "SIGKILL"); // grandchildren that outlived it
  return ending;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // the group is gone already, which is what is wanted
  }
}

function forwardLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = "";
  stream?.setEncoding("utf8");
  stream?.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  });
  stream?.on("end", () => {
    if (rest !== "") onLine(rest);
  });
}

/** How an ending reads in a message. */
export function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case "exit":
      return `ended with code ${ending.code}`;
    case "signal":
      return `was ended by ${ending.signal}`;
    case "error":
      return `could not be started: ${ending.error.message}`;
  }
}
