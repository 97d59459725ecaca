import { RpcError } from "../../rpc-error.ts";
import type { Claim, ClaimRequest, IdempotencyStore } from "./idempotency-store.ts";

export interface MemoryStoreOptions {
  /** Keys remembered at once. Default 10,000 (I8). */
  readonly maxKeys?: number | undefined;
  /** Characters of outcomes kept at once. Default 64 Mi (I8). */
  readonly maxCharacters?: number | undefined;
}

interface Entry {
  readonly argumentsHash: string;
  readonly requestId: string;
  readonly owner: string;
  readonly fence: number;
  /** Undefined while it is processed. */
  outcome: string | undefined;
  completedAt: number;
  /** End of the lease, by `Date.now()`. */
  leaseEndsAt: number;
  /** When all is forgotten, by `Date.now()`. */
  expiresAt: number;
}

/**
 * For one process: what it did is forgotten when it ends, and others do not see it. What is full refuses new keys and
 * never forgets one before its time, which would let work be done twice.
 */
export function createMemoryIdempotencyStore(options: MemoryStoreOptions = {}): IdempotencyStore {
  return new MemoryStore(options.maxKeys ?? 10_000, options.maxCharacters ?? 67_108_864);
}

class MemoryStore implements IdempotencyStore {
  readonly #entries = new Map<string, Entry>();
  readonly #maxKeys: number;
  readonly #maxCharacters: number;
  #characters = 0;

  constructor(maxKeys: number, maxCharacters: number) {
    this.#maxKeys = maxKeys;
    this.#maxCharacters = maxCharacters;
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const now = Date.now();
    const entry = this.#find(request.key, now);
    if (entry === undefined) {
      this.#makeRoom(now);
      return this.#begin(request, now, 1);
    }
    const { argumentsHash, requestId, outcome, completedAt, expiresAt } = entry;
    if (outcome !== undefined)
      return { kind: "completed", argumentsHash, requestId, outcome, completedAt, expiresAt };
    const leaseLeftMs = entry.leaseEndsAt - now;
    if (leaseLeftMs > 0) return { kind: "processing", argumentsHash, requestId, leaseLeftMs };
    if (request.mayTakeOver && argumentsHash === request.argumentsHash)
      return this.#begin(request, now, entry.fence + 1);
    return { kind: "lost", argumentsHash, requestId };
  }

  async renew(key: string, owner: string, leaseMs: number): Promise<boolean> {
    const entry = this.#owned(key, owner);
    if (entry === undefined) return false;
    entry.leaseEndsAt = Date.now() + leaseMs;
    return true;
  }

  async complete(key: string, owner: string, outcome: string, ttlMs: number): Promise<boolean> {
    const entry = this.#owned(key, owner);
    if (entry === undefined) return false;
    entry.outcome = outcome;
    entry.completedAt = Date.now();
    entry.expiresAt = entry.completedAt + ttlMs;
    this.#characters += outcome.length;
    return true;
  }

  async release(key: string, owner: string): Promise<void> {
    if (this.#owned(key, owner) !== undefined) this.#entries.delete(key);
  }

  #begin(
    { key, argumentsHash, requestId, owner, leaseMs, rememberMs }: ClaimRequest,
    now: number,
    fence: number,
  ): Claim {
    this.#entries.set(key, {
      argumentsHash,
      requestId,
      owner,
      fence,
      outcome: undefined,
      completedAt: 0,
      leaseEndsAt: now + leaseMs,
      expiresAt: now + rememberMs,
    });
    return { kind: "claimed", fence };
  }

  #find(key: string, now: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > now) return entry;
    this.#forget(key, entry);
    return undefined;
  }

  /** Also past the lease: nobody took it over. */
  #owned(key: string, owner: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry?.owner === owner && entry.outcome === undefined ? entry : undefined;
  }

  #forget(key: string, { outcome }: Entry): void {
    this.#entries.delete(key);
    this.#characters -= outcome?.length ?? 0;
  }

  #makeRoom(now: number): void {
    const isFull = (): boolean =>
      this.#entries.size >= this.#maxKeys || this.#characters >= this.#maxCharacters;
    if (!isFull()) return;
    for (const [key, entry] of this.#entries) if (entry.expiresAt <= now) this.#forget(key, entry);
    if (!isFull()) return;
    throw new RpcError("UNAVAILABLE", "no more idempotency keys can be remembered at present", {
      hint: "Raise maxKeys or maxCharacters, shorten the ttl, or use a shared store.",
    });
  }
}
