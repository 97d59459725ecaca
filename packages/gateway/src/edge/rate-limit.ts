/** So many at once, and so many a second for ever. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Counts by key: each has a bucket that fills by `perSecond` up to `burst`; what is taken must be in it. */
export interface RateLimit {
  /** Takes one. Otherwise how long until there is one, in ms (at least 1). */
  take(key: string): { readonly ok: true } | { readonly ok: false; readonly waitMs: number };
  /** Puts one back. */
  giveBack(key: string): void;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Beyond `maxKeys` those that were used longest ago are forgotten (I8). */
export function createRateLimit(
  rate: Rate,
  maxKeys: number,
  now: () => number = () => performance.now(),
): RateLimit {
  const buckets = new Map<string, Bucket>();
  const fill = (key: string): Bucket => {
    const atMs = now();
    const known = buckets.get(key);
    const left =
      known === undefined
        ? rate.burst
        : Math.min(rate.burst, known.left + ((atMs - known.atMs) / 1_000) * rate.perSecond);
    const bucket = { left, atMs };
    // Anew, so that the map's order is that of use.
    buckets.delete(key);
    buckets.set(key, bucket);
    if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string);
    return bucket;
  };
  return {
    take(key) {
      const bucket = fill(key);
      if (bucket.left >= 1) {
        bucket.left -= 1;
        return { ok: true };
      }
      return { ok: false, waitMs: Math.max(1, Math.ceil(((1 - bucket.left) / rate.perSecond) * 1_000)) };
    },
    giveBack(key) {
      const bucket = buckets.get(key);
      if (bucket !== undefined) bucket.left = Math.min(rate.burst, bucket.left + 1);
    },
  };
}
