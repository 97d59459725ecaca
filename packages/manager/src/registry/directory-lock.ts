import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
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
      if (await takeOver(file, found, prepared)) {
        onReport({ kind: "lock-taken-over", file, pid: holder?.pid });
        break;
      }
    }
  } finally {
    await rm(prepared, { force: true });
  }
  return async () => {
    if ((await readIfThere(file)) === own) await rm(file, { force: true });
  };
}

/**
 * Puts `prepared` where the stale lock is. Of those who found it stale together, one at a time may look
 * again and replace it: else the slower would replace the lock that the faster just made.
 */
async function takeOver(file: string, found: string, prepared: string): Promise<boolean> {
  const turn = `${file}.takeover`;
  if (!(await linkUnlessThere(prepared, turn))) {
    const other = await readIfThere(turn);
    if (other === undefined) return false;
    throw locked(turn, parseHolder(other));
  }
  try {
    if ((await readIfThere(file)) !== found) return false;
    await rename(prepared, file);
    return true;
  } finally {
    await rm(turn, { force: true });
  }
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

function locked(file: string, holder: Holder | undefined): RegistryError {
  const who = holder === undefined ? "" : ` (process ${holder.pid} on ${holder.host})`;
  return new RegistryError("E_REGISTRY_LOCKED", `Another manager${who} uses ${dirname(file)}.`, {
    hint: `Stop it, or give this one another directory. If it is surely gone, remove ${file}.`,
  });
}
