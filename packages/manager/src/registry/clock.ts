/** The time that leases run by. Tests give their own. */
export interface RegistryClock {
  /** Milliseconds that only grow; where they begin means nothing. */
  monotonicMs(): number;
  /**
   * Calls back once, `delayMs` from now, and returns what takes that back. A clock of a test must let
   * `monotonicMs()` stand at the time that is due while it calls back, as a clock that jumped looks like a
   * process that was stopped.
   */
  after(delayMs: number, callback: () => void): () => void;
}

/** `setTimeout` fires at once beyond this many milliseconds (24.8 days). */
const maxDelayMs = 2_147_483_647;

export const systemRegistryClock: RegistryClock = {
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(delayMs, maxDelayMs));
    return () => clearTimeout(timer);
  },
};
