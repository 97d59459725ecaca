/** A clock that never goes back, and its timers. Tests bring their own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Calls `fn` once after `delayMs`, until the returned function is called. */
  after(delayMs: number, fn: () => void): () => void;
}

export const monotonicClock: Clock = {
  now: () => performance.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, delayMs);
    return () => clearTimeout(timer);
  },
};
