import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Keeps a second process that ends our children if we are killed without a chance to do so ourselves. */
export interface Guard {
  watch(pid: number): void;
  release(pid: number): void;
  /** Lets the second process go; what it still watches is ended by it. */
  close(): void;
}

export function startGuard(): Guard {
  const program = fileURLToPath(new URL("./guard-main.js", import.meta.url));
  const env = { ...process.env };
  delete env["NODE_OPTIONS"]; // it must not load what services load
  const child: ChildProcess = spawn(process.execPath, [program], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env,
  });
  child.on("error", () => {}); // without a guard, all still works but a kill -9
  child.stdin?.on("error", () => {}); // the guard is gone: as above
  child.unref();
  const say = (line: string): void => {
    if (child.stdin?.writable) child.stdin.write(`${line}\n`);
  };
  return {
    watch: (pid) => say(`+${pid}`),
    release: (pid) => say(`-${pid}`),
    close: () => child.stdin?.end(),
  };
}
