import type { Put } from "./operations.ts";
import type { Compare, Entry, WatchEvent } from "./registry.ts";
import { compareKeys, SortedKeys } from "./sorted-keys.ts";

/** What happens to a store, and what a journal records of it. */
export type Change =
  | { readonly kind: "write"; readonly puts: readonly Put[]; readonly deletes: readonly string[] }
  | { readonly kind: "lease"; readonly id: string; readonly ttlMs: number }
  /** The lease and its keys go. */
  | { readonly kind: "lease-end"; readonly id: string };

export type ChangeEvent = Exclude<WatchEvent, { kind: "compacted" }>;

export interface StoredEntry extends Entry {
  readonly lease: string | undefined;
}

export interface StoredLease {
  readonly id: string;
  readonly ttlMs: number;
}

/**
 * The state itself, without time, files or waiting: the same changes in the same order make the same
 * state and the same revisions, which is what lets a journal be played again.
 */
export class Store {
  #revision = 0;
  readonly #entries = new Map<string, StoredEntry>();
  readonly #keys = new SortedKeys();
  readonly #leases = new Map<string, { readonly ttlMs: number; readonly keys: Set<string> }>();

  get revision(): number {
    return this.#revision;
  }

  get size(): number {
    return this.#entries.size;
  }

  get leaseCount(): number {
    return this.#leases.size;
  }

  get(key: string): StoredEntry | undefined {
    return this.#entries.get(key);
  }

  *list(prefix: string): IterableIterator<StoredEntry> {
    for (const key of this.#keys.below(prefix)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  /** Undefined when the lease is gone. */
  leaseTtlMs(id: string): number | undefined {
    return this.#leases.get(id)?.ttlMs;
  }

  *leases(): IterableIterator<StoredLease> {
    for (const [id, { ttlMs }] of this.#leases) yield { id, ttlMs };
  }

  holds(compare: readonly Compare[]): boolean {
    return compare.every(({ key, revision }) => (this.#entries.get(key)?.revision ?? 0) === revision);
  }

  /** Returns what watchers see: all at one new revision, or nothing and no new revision. */
  apply(change: Change): ChangeEvent[] {
    switch (change.kind) {
      case "write":
        return this.#write(change.puts, change.deletes);
      case "lease":
        this.restoreLease(change);
        return [];
      case "lease-end": {
        const keys = [...(this.#leases.get(change.id)?.keys ?? [])].sort(compareKeys);
        const events = this.#write([], keys);
        this.#leases.delete(change.id);
        return events;
      }
    }
  }

  /** Puts back what a snapshot holds; leases come before their entries. */
  restoreLease(lease: StoredLease): void {
    this.#leases.set(lease.id, { ttlMs: lease.ttlMs, keys: new Set() });
  }

  restoreEntry(entry: StoredEntry): void {
    this.#set(entry);
  }

  restoreRevision(revision: number): void {
    this.#revision = revision;
  }

  #write(puts: readonly Put[], deletes: readonly string[]): ChangeEvent[] {
    const revision = this.#revision + 1;
    const events: ChangeEvent[] = [];
    for (const { key, value, lease } of puts) {
      this.#set({ key, value, revision, lease });
      events.push({ kind: "put", entry: { key, value, revision } });
    }
    for (const key of deletes) {
      if (this.#unset(key)) events.push({ kind: "delete", key, revision });
    }
    if (events.length > 0) this.#revision = revision;
    return events;
  }

  #set(entry: StoredEntry): void {
    const previous = this.#entries.get(entry.key);
    if (previous === undefined) this.#keys.add(entry.key);
    else if (previous.lease !== undefined) this.#leases.get(previous.lease)?.keys.delete(entry.key);
    this.#entries.set(entry.key, entry);
    if (entry.lease !== undefined) this.#leases.get(entry.lease)?.keys.add(entry.key);
  }

  #unset(key: string): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    this.#entries.delete(key);
    this.#keys.remove(key);
    if (entry.lease !== undefined) this.#leases.get(entry.lease)?.keys.delete(key);
    return true;
  }
}
