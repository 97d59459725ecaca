import { randomBytes } from "node:crypto";
import { type RegistryClock, systemRegistryClock } from "./clock.ts";
import { History } from "./history.ts";
import { checkOperations, checkTtl, type Operations } from "./operations.ts";
import type { Entry, Lease, PutOptions, Registry, WatchEvent, WriteResult } from "./registry.ts";
import { leaseGone, RegistryError, registryClosed } from "./registry-error.ts";
import type { OnReport } from "./report.ts";
import { openStorage, type Storage } from "./storage.ts";
import { type Change, Store } from "./store.ts";

/** Each is refused with E_REGISTRY_LIMIT when reached, unless it says otherwise. */
export interface MemoryRegistryLimits {
  /** Default 100,000: a thousand times what a large team has, some 100 MB at worst. */
  readonly entries: number;
  /** Default 10,000: one a session and one a preview. */
  readonly leases: number;
  /** Default 1,024: the manager has a few, whatever the number of agents. */
  readonly watchers: number;
  /** Writes that wait for the one before. Default 4,096: about a second's worth. */
  readonly pendingWrites: number;
  /** Events kept for watchers. Default 10,000; one that is further behind is told `compacted`. */
  readonly historyEvents: number;
  /** Default 16 MiB; works as {@link historyEvents}. */
  readonly historyBytes: number;
  /** A longer journal becomes a snapshot. Default 4 MiB: read in well under a second at a start. */
  readonly journalBytes: number;
}

export interface MemoryRegistryOptions {
  /** Where the state is kept. Without it, it ends with the process. */
  readonly directory?: string | undefined;
  /**
   * Whether each write waits until the disk has it. Default false: what was acknowledged outlives the
   * process (kill -9) all the same, and only the machine's own end can lose the last seconds. What is
   * kept here is made again by those who use it, and 1 to 10 ms a write is felt in every command.
   */
  readonly fsync?: boolean | undefined;
  readonly clock?: RegistryClock | undefined;
  readonly limits?: Partial<MemoryRegistryLimits> | undefined;
  readonly onReport?: OnReport | undefined;
}

const defaultLimits: MemoryRegistryLimits = {
  entries: 100_000,
  leases: 10_000,
  watchers: 1024,
  pendingWrites: 4096,
  historyEvents: 10_000,
  historyBytes: 16 * 1024 * 1024,
  journalBytes: 4 * 1024 * 1024,
};

/** A lease whose timer is later than this was not kept alive because nothing ran. Named in `lease-forgiven`. */
const stalledMs = 1000;
/** How long after a failed attempt a lease's end is tried again. */
const leaseRetryMs = 1000;

/**
 * The registry of one manager: in memory, and on disk when a directory is given. A write is seen, and
 * acknowledged, only once it would outlive a `kill -9` of this process. After a restart every lease
 * has its full ttl, and watchers go on from the revision they had, or are told `compacted`.
 * Throws E_REGISTRY_LOCKED, E_REGISTRY_CORRUPT, E_REGISTRY_STORAGE.
 */
export async function createMemoryRegistry(options: MemoryRegistryOptions = {}): Promise<Registry> {
  const limits = { ...defaultLimits, ...options.limits };
  const clock = options.clock ?? systemRegistryClock;
  const onReport = options.onReport ?? (() => {});
  const { directory, fsync = false } = options;
  if (directory === undefined) {
    return new MemoryRegistry({
      store: new Store(),
      history: new History(limits, 0),
      limits,
      clock,
      onReport,
    });
  }
  const loaded = await openStorage({ directory, fsync, journalBytes: limits.journalBytes, onReport });
  const history = new History(limits, loaded.sinceRevision);
  history.push(loaded.events);
  return new MemoryRegistry({
    store: loaded.store,
    storage: loaded.storage,
    history,
    limits,
    clock,
    onReport,
  });
}

interface Parts {
  readonly store: Store;
  readonly storage?: Storage | undefined;
  readonly history: History;
  readonly limits: MemoryRegistryLimits;
  readonly clock: RegistryClock;
  readonly onReport: OnReport;
}

/** A lease that runs. `endsAt` moves with every sign of life; the timer is only set again when it fires. */
interface Running {
  endsAt: number;
  ending: boolean;
  cancel: () => void;
}

class MemoryRegistry implements Registry {
  readonly #parts: Parts;
  readonly #running = new Map<string, Running>();
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    for (const { id, ttlMs } of parts.store.leases()) this.#start(id, ttlMs);
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#checkOpen();
    const entry = this.#parts.store.get(key);
    return entry && { key, value: entry.value, revision: entry.revision };
  }

  async list(prefix: string): Promise<{ entries: readonly Entry[]; revision: number }> {
    this.#checkOpen();
    const { store } = this.#parts;
    const entries = Array.from(store.list(prefix), ({ key, value, revision }) => ({ key, value, revision }));
    return { entries, revision: store.revision };
  }

  put(key: string, value: string, options: PutOptions = {}): Promise<WriteResult> {
    const { ifRevision, lease } = options;
    return this.transaction({
      compare: ifRevision === undefined ? [] : [{ key, revision: ifRevision }],
      puts: [{ key, value, lease }],
    });
  }

  delete(key: string, options: { readonly ifRevision?: number | undefined } = {}): Promise<WriteResult> {
    const { ifRevision } = options;
    return this.transaction({
      compare: ifRevision === undefined ? [] : [{ key, revision: ifRevision }],
      deletes: [key],
    });
  }

  async transaction(operations: Partial<Operations>): Promise<WriteResult> {
    const { compare = [], puts = [], deletes = [] } = operations;
    checkOperations({ compare, puts, deletes });
    return await this.#inTurn(async () => {
      const { store, limits } = this.#parts;
      if (!store.holds(compare)) return { ok: false };
      for (const { lease } of puts) {
        if (lease !== undefined && store.leaseTtlMs(lease) === undefined) throw leaseGone(lease);
      }
      const added = puts.filter(({ key }) => store.get(key) === undefined).length;
      if (added > 0 && store.size + added > limits.entries) throw full("entries", limits.entries);
      const present = deletes.filter((key) => store.get(key) !== undefined);
      if (puts.length + present.length > 0) await this.#commit({ kind: "write", puts, deletes: present });
      return { ok: true, revision: store.revision };
    });
  }

  async lease(ttlMs: number): Promise<Lease> {
    checkTtl(ttlMs);
    const id = randomBytes(8).toString("hex");
    await this.#inTurn(async () => {
      const { store, limits } = this.#parts;
      if (store.leaseCount >= limits.leases) throw full("leases", limits.leases);
      await this.#commit({ kind: "lease", id, ttlMs });
      this.#start(id, ttlMs);
    });
    return this.#handle(id);
  }

  async findLease(id: string): Promise<Lease | undefined> {
    this.#checkOpen();
    return this.#parts.store.leaseTtlMs(id) === undefined ? undefined : this.#handle(id);
  }

  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    this.#checkOpen();
    return this.#parts.history.watch(prefix, afterRevision, signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const running of this.#running.values()) running.cancel();
    this.#running.clear();
    this.#parts.history.close();
    await this.#tail;
    await this.#parts.storage?.close();
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw registryClosed();
  }

  /** Writes one after another, so that each sees what the one before made of the store. */
  async #inTurn<T>(write: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    const { pendingWrites } = this.#parts.limits;
    if (this.#pending >= pendingWrites) throw full("waiting writes", pendingWrites);
    this.#pending += 1;
    const turn = this.#tail.then(write);
    this.#tail = turn.catch(() => {}); // The one who asked is told; those who come after go on.
    try {
      return await turn;
    } finally {
      this.#pending -= 1;
    }
  }

  async #commit(change: Change): Promise<void> {
    const { store, storage, history, onReport } = this.#parts;
    await storage?.append(change);
    history.push(store.apply(change));
    if (storage?.wantsSnapshot) {
      await storage.snapshot(store).catch((cause: unknown) => onReport({ kind: "snapshot-failed", cause }));
    }
  }

  #start(id: string, ttlMs: number): void {
    if (this.#closing !== undefined) return;
    const { clock } = this.#parts;
    const running: Running = { endsAt: clock.monotonicMs() + ttlMs, ending: false, cancel: () => {} };
    this.#running.set(id, running);
    this.#arm(id, running);
  }

  #arm(id: string, running: Running): void {
    const { clock } = this.#parts;
    running.cancel = clock.after(Math.max(0, running.endsAt - clock.monotonicMs()), () =>
      this.#due(id, running),
    );
  }

  #due(id: string, running: Running): void {
    const { clock, store, onReport } = this.#parts;
    const lateMs = clock.monotonicMs() - running.endsAt;
    if (lateMs > stalledMs) {
      running.endsAt = clock.monotonicMs() + (store.leaseTtlMs(id) ?? 0);
      onReport({ kind: "lease-forgiven", lease: id, lateMs });
    }
    if (running.endsAt > clock.monotonicMs()) {
      this.#arm(id, running);
      return;
    }
    this.#end(id, () => running.endsAt <= clock.monotonicMs()).catch((cause: unknown) => {
      if (this.#closing !== undefined) return;
      onReport({ kind: "lease-end-failed", lease: id, cause });
      running.endsAt = clock.monotonicMs() + leaseRetryMs;
      this.#arm(id, running);
    });
  }

  /** Ends it in its turn, if it is still there and `still` due then. */
  async #end(id: string, still: () => boolean): Promise<void> {
    await this.#inTurn(async () => {
      const running = this.#running.get(id);
      if (running === undefined) return;
      if (!still()) {
        this.#arm(id, running);
        return;
      }
      running.ending = true;
      try {
        await this.#commit({ kind: "lease-end", id });
      } catch (error) {
        running.ending = false;
        throw error;
      }
      running.cancel();
      this.#running.delete(id);
    });
  }

  #handle(id: string): Lease {
    return {
      id,
      keepAlive: async () => {
        this.#checkOpen();
        const { clock, store } = this.#parts;
        const running = this.#running.get(id);
        const ttlMs = store.leaseTtlMs(id);
        if (running === undefined || running.ending || ttlMs === undefined) return false;
        running.endsAt = clock.monotonicMs() + ttlMs;
        return true;
      },
      revoke: () => this.#end(id, () => true),
    };
  }
}

function full(what: string, most: number): RegistryError {
  return new RegistryError("E_REGISTRY_LIMIT", `The registry has ${most} ${what}; that is the most.`);
}
