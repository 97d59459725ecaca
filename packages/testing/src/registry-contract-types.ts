/** The shape of a registry, said again, as this package imports no other. The manager's `Registry` fits it. */
export interface RegistryLike {
  get(key: string): Promise<RegistryEntryLike | undefined>;
  list(
    prefix: string,
  ): Promise<{ readonly entries: readonly RegistryEntryLike[]; readonly revision: number }>;
  put(
    key: string,
    value: string,
    options?: { ifRevision?: number; lease?: string },
  ): Promise<WriteResultLike>;
  delete(key: string, options?: { ifRevision?: number }): Promise<WriteResultLike>;
  transaction(operations: {
    compare?: ReadonlyArray<{ key: string; revision: number }>;
    puts?: ReadonlyArray<{ key: string; value: string; lease?: string }>;
    deletes?: readonly string[];
  }): Promise<WriteResultLike>;
  lease(ttlMs: number): Promise<LeaseLike>;
  findLease(id: string): Promise<LeaseLike | undefined>;
  watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncIterable<WatchEventLike>;
  close(): Promise<void>;
}

interface RegistryEntryLike {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

type WriteResultLike = { readonly ok: true; readonly revision: number } | { readonly ok: false };

interface LeaseLike {
  readonly id: string;
  keepAlive(): Promise<boolean>;
  revoke(): Promise<void>;
}

export type WatchEventLike =
  | { readonly kind: "put"; readonly entry: RegistryEntryLike }
  | { readonly kind: "delete"; readonly key: string; readonly revision: number }
  | { readonly kind: "compacted"; readonly revision: number };

/** An empty registry and what a suite needs to drive it. Disposing closes it. */
export interface RegistryUnderTest extends AsyncDisposable {
  readonly registry: RegistryLike;
  /** Drops all history up to now. */
  compact(): Promise<void>;
  /** The shortest lease that the store can time well. */
  readonly shortLeaseMs: number;
}
