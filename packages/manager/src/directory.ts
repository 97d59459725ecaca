import { type DirectoryChange, DirectoryState, type View } from "./directory-state.ts";
import { ManagerError } from "./manager-error.ts";
import { recordPrefix } from "./records.ts";
import type { Registry, WatchEvent } from "./registry/registry.ts";

/** The state as the registry tells it. Several managers over one registry come to the same view, in the same order. */
export interface Directory {
  readonly view: View;
  /** The registry's revision that the view shows. */
  readonly revision: number;
  /** False while the registry cannot be watched; the view then stays what it was. */
  readonly following: boolean;
  /**
   * Resolves once the view shows this revision and all listeners have been told: a writer then reads its own write.
   * Rejects with `E_REGISTRY_BEHIND` after {@link reachTimeoutMs}.
   */
  reached(revision: number): Promise<void>;
  /** Called once for all events that arrived together, so a transaction is seen whole. Ends with the directory. */
  onChange(listener: (change: DirectoryChange) => void): void;
  close(): Promise<void>;
}

export interface DirectoryOptions {
  readonly registry: Registry;
  readonly monotonicMs: () => number;
  /** The watch broke, or a record could not be read; the directory goes on by itself. */
  readonly onFault: (fault: {
    readonly what: "watch" | "record";
    readonly key?: string;
    readonly error: unknown;
  }) => void;
}

/** Wait before a broken watch is begun anew: the registry's own client has tried for longer by then. */
const rewatchDelayMs = 500;

/** Longest wait for the view to show a write. 5 s: below the 10 s that a caller waits for the whole call. */
const reachTimeoutMs = 5_000;

/** Lists, then watches for ever. Rejects when the first listing fails. */
export async function startDirectory(options: DirectoryOptions): Promise<Directory> {
  const { registry } = options;
  const state = new DirectoryState(options.monotonicMs);
  const listeners: Array<(change: DirectoryChange) => void> = [];
  const waiters = new Set<Waiter>();
  const closing = new AbortController();
  let read = 0;
  let shown = 0;
  let following = true;
  let flushing: NodeJS.Immediate | undefined;

  const apply = (event: Exclude<WatchEvent, { kind: "compacted" }>): void => {
    try {
      state.apply(event);
    } catch (error) {
      options.onFault({ what: "record", key: event.kind === "put" ? event.entry.key : event.key, error });
    }
  };

  const flush = (): void => {
    flushing = undefined;
    shown = read;
    const change = state.takeChange();
    for (const listener of listeners) listener(change);
    for (const waiter of waiters) if (waiter.revision <= shown) waiter.end();
  };

  /** Events of one transaction arrive in one turn of the event loop; they are told after it. */
  const flushSoon = (revision: number): void => {
    read = Math.max(read, revision);
    flushing ??= setImmediate(flush);
  };

  const load = async (): Promise<void> => {
    const { entries, revision } = await registry.list(recordPrefix);
    for (const event of state.eventsTo(entries, revision)) apply(event);
    read = revision;
    flush();
  };

  const follow = async (): Promise<void> => {
    for await (const event of registry.watch(recordPrefix, read, closing.signal)) {
      if (event.kind === "compacted") return;
      apply(event);
      flushSoon(event.kind === "put" ? event.entry.revision : event.revision);
    }
  };

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await follow();
        if (closing.signal.aborted) return;
        await load();
        following = true;
      } catch (error) {
        if (closing.signal.aborted) return;
        if (following) options.onFault({ what: "watch", error });
        following = false;
        await delay(rewatchDelayMs, closing.signal);
      }
    }
  };

  await load();
  const running = run();

  return {
    view: state,
    get revision() {
      return shown;
    },
    get following() {
      return following;
    },
    reached(revision) {
      if (revision <= shown) return Promise.resolve();
      if (closing.signal.aborted) return Promise.reject(closed());
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          revision,
          end(error) {
            clearTimeout(timer);
            waiters.delete(waiter);
            if (error) reject(error);
            else resolve();
          },
        };
        const timer = setTimeout(() => waiter.end(behind(revision, shown)), reachTimeoutMs);
        waiters.add(waiter);
      });
    },
    onChange: (listener) => void listeners.push(listener),
    async close() {
      closing.abort();
      if (flushing) clearImmediate(flushing);
      for (const waiter of waiters) waiter.end(closed());
      await running;
    },
  };
}

interface Waiter {
  readonly revision: number;
  end(error?: Error): void;
}

function behind(revision: number, shown: number): ManagerError {
  return new ManagerError(
    "E_REGISTRY_BEHIND",
    `The registry took the write as revision ${revision}, but has told this manager only up to ${shown}.`,
    {
      retryable: true,
      hint: "The write was done. Look whether the manager can reach its registry, then ask again.",
    },
  );
}

function closed(): ManagerError {
  return new ManagerError("E_MANAGER_CLOSING", "The manager is shutting down.", {
    retryable: true,
    hint: "The write may have been done; ask again when the manager is back.",
  });
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
