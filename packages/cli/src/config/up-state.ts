import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** Where the last `clew up` can be reached, for commands run from anywhere. */
export interface UpState {
  readonly pid: number;
  readonly manager: string;
  readonly gateway: string | undefined;
  /** Path of the token file, never the token. */
  readonly tokenFile?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

function stateFile(env: Environment): string {
  const home = env["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(home, "clew", "up.json");
}

export function writeUpState(env: Environment, state: UpState): void {
  const file = stateFile(env);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, `${JSON.stringify(state)}\n`, { mode: 0o600 });
}

/** Undefined when there was none, or when what is there is not ours to understand. */
export function readUpState(env: Environment): UpState | undefined {
  try {
    const state: unknown = JSON.parse(readFileSync(stateFile(env), "utf8"));
    return isUpState(state) ? state : undefined;
  } catch {
    return undefined; // absent or unreadable: the other sources of an address still count
  }
}

/** Takes the state away, if it is this process's own. */
export function removeUpState(env: Environment, pid: number): void {
  if (readUpState(env)?.pid === pid) rmSync(stateFile(env), { force: true });
}

function isUpState(value: unknown): value is UpState {
  return (
    typeof value === "object" &&
    value !== null &&
    "pid" in value &&
    typeof value.pid === "number" &&
    "manager" in value &&
    typeof value.manager === "string"
  );
}
