/** What a claim says of the call that makes it. */
export interface ClaimRequest {
  /** Hash of scope, key, function and version. */
  readonly key: string;
  readonly argumentsHash: string;
  readonly requestId: string;
  /** Unique for this claim; only its owner may renew, complete or release it. */
  readonly owner: string;
  /** How long the claim is believed without being renewed. */
  readonly leaseMs: number;
  /** How long a claim whose owner was lost is remembered, so that nobody does the work again unknowingly. */
  readonly rememberMs: number;
  /** Whether a lost claim may be taken over by a call with the same arguments. */
  readonly mayTakeOver: boolean;
}

interface Earlier {
  readonly argumentsHash: string;
  readonly requestId: string;
}

export type Claim =
  /** `fence` grows with each claim of the key, so that what an earlier one still writes can be told from ours. */
  | { readonly kind: "claimed"; readonly fence: number }
  | (Earlier & { readonly kind: "processing"; readonly leaseLeftMs: number })
  /** Its owner ended without a word: whether the work was done is unknown. */
  | (Earlier & { readonly kind: "lost" })
  | (Earlier & {
      readonly kind: "completed";
      /** As given to `complete`. */
      readonly outcome: string;
      /** Milliseconds since 1970, by the store's clock. */
      readonly completedAt: number;
      readonly expiresAt: number;
    });

/**
 * Remembers which calls were made. Every operation is atomic among all who share the store. All times are measured by
 * the store's clock alone. Rejects when the store cannot be reached; for `claim`, with RpcError UNAVAILABLE when it is full.
 */
export interface IdempotencyStore {
  claim(request: ClaimRequest): Promise<Claim>;
  /** False when the claim is no longer the owner's. */
  renew(key: string, owner: string, leaseMs: number): Promise<boolean>;
  /** Keeps an outcome for `ttlMs`. False when the claim is no longer the owner's; nothing was kept then. */
  complete(key: string, owner: string, outcome: string, ttlMs: number): Promise<boolean>;
  /** The work was not done and may be tried again. */
  release(key: string, owner: string): Promise<void>;
}
