import type { ChildProcess } from "node:child_process";
import type { Server } from "node:net";
import { CliError } from "../errors.ts";
import type { InheritedListeners } from "./inherited.ts";

// A process that serves makes way for a new one of the same command, and nobody who connects notices: the successor takes
// over the listening descriptors by IPC, one by one as it needs them, and says when it serves; then the predecessor stops
// accepting, and finishes what runs.

/** Tells a process that it is a successor. */
const successorVariable = "CLEW_SUCCESSOR";

type FromSuccessor = { readonly clew: "take"; readonly address: string } | { readonly clew: "ready" };

/** With the server itself, if there is one for the address. */
interface FromPredecessor {
  readonly clew: "taken";
  readonly address: string;
}

export interface Predecessor {
  readonly take: InheritedListeners;
  /** This process serves. */
  ready(): void;
}

/** The process that this one takes over from, if there is one. */
export function findPredecessor(target: NodeJS.Process): Predecessor | undefined {
  if (target.env[successorVariable] === undefined || target.send === undefined) return undefined;
  delete target.env[successorVariable];
  const send = (message: FromSuccessor): void => {
    if (target.connected) target.send?.(message);
  };
  return {
    take: (address) =>
      new Promise((resolve) => {
        // Without the predecessor nothing can be taken any more.
        const gone = (): void => resolve(undefined);
        const taken = (message: unknown, server: unknown): void => {
          if ((message as FromPredecessor).address !== address) return;
          target.off("message", taken).off("disconnect", gone);
          // At once: see ListenAddress.inherited.
          resolve(server as Server | undefined);
        };
        target.on("message", taken).once("disconnect", gone);
        send({ clew: "take", address });
      }),
    ready() {
      send({ clew: "ready" });
      if (target.connected) target.disconnect();
    },
  };
}

export interface SuccessorOptions {
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What this process listens on, by `host:port` as configured. */
  readonly servers: ReadonlyMap<string, Server>;
  /** Until then it must serve. */
  readonly readyLimitMs: number;
}

/** Starts the same command anew, in a session of its own. Resolves with its process id once it serves; rejects with `E_RESTART_FAILED`. */
export async function startSuccessor(options: SuccessorOptions): Promise<number> {
  const { argv, execArgv, env, servers, readyLimitMs } = options;
  const { fork } = await import("node:child_process");
  const child = fork(argv[1] ?? "", argv.slice(2), {
    execArgv: [...execArgv],
    env: { ...env, [successorVariable]: "1" },
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(limit);
      child.kill("SIGKILL");
      reject(new CliError("E_RESTART_FAILED", `the new process did not come to serve: ${why}`));
    };
    const limit = setTimeout(fail, readyLimitMs, `it was not ready within ${readyLimitMs} ms`);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`it ended with ${signal ?? `code ${code}`}`));
    child.on("message", (message: FromSuccessor) => {
      if (message.clew === "take") hand(child, message.address, servers.get(message.address));
      else if (message.clew === "ready") {
        clearTimeout(limit);
        child.removeAllListeners("exit");
        child.unref();
        if (child.connected) child.disconnect();
        resolve(child.pid ?? 0);
      }
    });
  });
}

function hand(child: ChildProcess, address: string, server: Server | undefined): void {
  const message: FromPredecessor = { clew: "taken", address };
  if (server === undefined) child.send(message);
  else child.send(message, server);
}
