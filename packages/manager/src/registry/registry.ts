/** One stored entry. `revision` is the store's revision at which this key was last written. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

export interface Lease {
  readonly id: string;
  /** Sets the remaining time back to the full ttl. False when the lease is gone. */
  keepAlive(): Promise<boolean>;
  /** Ends it now; its keys go with it. */
  revoke(): Promise<void>;
}

/** Holds in a transaction when the key's revision is this one; 0 means "does not exist". */
export interface Compare {
  readonly key: string;
  readonly revision: number;
}

export type WatchEvent =
  | { readonly kind: "put"; readonly entry: Entry }
  | { readonly kind: "delete"; readonly key: string; readonly revision: number }
  /** History before this revision is gone: list again, then watch from there. Always the last event. */
  | { readonly kind: "compacted"; readonly revision: number };

export interface PutOptions {
  /** Write only if the key is at this revision (0: does not exist). */
  readonly ifRevision?: number | undefined;
  readonly lease?: string | undefined;
}

export type WriteResult =
  | { readonly ok: true; readonly revision: number }
  /** The condition did not hold; nothing was written. */
  | { readonly ok: false };

/** Where the manager keeps its state. One contract suite holds for every implementation. */
export interface Registry {
  get(key: string): Promise<Entry | undefined>;
  /** All entries below the prefix in the order of their keys' UTF-8 bytes, and the revision that the listing shows. */
  list(prefix: string): Promise<{ readonly entries: readonly Entry[]; readonly revision: number }>;
  put(key: string, value: string, options?: PutOptions): Promise<WriteResult>;
  delete(key: string, options?: { readonly ifRevision?: number | undefined }): Promise<WriteResult>;
  /**
   * All or nothing, at one revision; watchers see the puts, then the deletes, as given. At most
   * {@link maxTransactionOperations} compares, puts and deletes together, no key written twice.
   * Without an effect the revision stays. As every write: throws E_REGISTRY_ARGUMENT, E_REGISTRY_LIMIT,
   * E_REGISTRY_LEASE_GONE, E_REGISTRY_INDETERMINATE when it may have been done or not, and
   * E_REGISTRY_UNREACHABLE or E_REGISTRY_STORAGE when it was not.
   */
  transaction(operations: {
    readonly compare?: readonly Compare[];
    readonly puts?: ReadonlyArray<{
      readonly key: string;
      readonly value: string;
      readonly lease?: string | undefined;
    }>;
    readonly deletes?: readonly string[];
  }): Promise<WriteResult>;
  /** Its keys are deleted when `ttlMs` passes without `keepAlive`; watchers see that as deletes. */
  lease(ttlMs: number): Promise<Lease>;
  /** A lease made earlier, by this process or another. Undefined when it is gone. */
  findLease(id: string): Promise<Lease | undefined>;
  /**
   * Events after `afterRevision`, in order, until the signal aborts or the registry is closed. Gets
   * over a lost connection by itself. No watcher has a queue: a slow one falls behind and may be told
   * `compacted`.
   */
  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<WatchEvent>;
  /** Ends watches; leases of a shared registry go on. Calls after it throw E_REGISTRY_CLOSED. */
  close(): Promise<void>;
}

/** Far below etcd's limit of 128 operations a transaction. */
export const maxTransactionOperations = 64;
