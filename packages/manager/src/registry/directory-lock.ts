import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { RegistryError } from "./registry-error.ts";
import type { OnReport } from "./report.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Tells the process from a later one with the same pid. Undefined where the system does not say. */
  readonly startedAt: string | undefined;
}

/**
 * Takes the directory for this process and returns what gives it back. The lock of a process that is
 * no more is taken over. Throws E_REGISTRY_LOCKED when another manager has it.
 */
export async function lockDirectory(directory: string, onReport: OnReport): Promise<() => Promise<void>> {
  const file = join(directory, "lock");
  const own = JSON.stringify(await describeProcess(process.pid));
  // Made aside and linked, so that nobody ever reads half a lock.
  const prepared = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  await writeFile(prepared, own, { mode: 0o600 });
  try {
    while (!(await linkUnlessThere(prepared, file))) {
      const found = await readIfThere(file);
      if (found === undefined) continue;
      const holder = parseHolder(found);
      if (holder !== undefined && (await isHeld(holder))) throw locked(file, holder);
      if (await takeAway(file, found, `${prepared}.stale`)) {
        onReport({ kind: "lock-taken-over", file, pid: holder?.pid });
      }
    }
  } finally {
    await rm(prepared, { force: true });
  }
  return async () => {
    if ((await readIfThere(file)) === own) await rm(file, { force: true });
  };
}

/** Two may find the same stale lock: the slower one must not take away what the faster one made. */
async function takeAway(file: string, expected: string, aside: string): Promise<boolean> {
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return false; // Another took it away first; the caller looks again.
  }
  const taken = await readIfThere(aside);
  if (taken !== expected) await linkUnlessThere(aside, file);
  await rm(aside, { force: true });
  return taken === expected;
}

async function isHeld(holder: Holder): Promise<boolean> {
  // Another container on the same volume cannot be looked at. Elsewhere host names change with the network.
  if (process.platform === "linux" && holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const startedAt = await processStart(holder.pid);
  return startedAt === undefined || holder.startedAt === undefined || startedAt === holder.startedAt;
}

async function describeProcess(pid: number): Promise<Holder> {
  return { pid, host: hostname(), startedAt: await processStart(pid) };
}

/** Source: proc(5), field 22 of /proc/pid/stat; the name before it may hold spaces and brackets. */
async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Holder;
    return Number.isSafeInteger(value.pid) && value.pid > 0 ? value : undefined;
  } catch {
    return undefined; // Locks are linked whole: this one lost its content when the machine stopped.
  }
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    // ESRCH: the process ended between opening and reading its /proc file.
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function locked(file: string, holder: Holder): RegistryError {
  return new RegistryError(
    "E_REGISTRY_LOCKED",
    `Another manager (process ${holder.pid} on ${holder.host}) uses ${file.slice(0, -"/lock".length)}.`,
    { hint: `Stop it, or give this one another directory. If it is surely gone, remove ${file}.` },
  );
}
