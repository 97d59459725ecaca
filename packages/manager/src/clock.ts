/** The manager's two clocks. Leases and retention use the monotonic one only, so a corrected wall clock prolongs nothing. */
export interface ManagerClock {
  /** Milliseconds since the epoch: for what people read, and for the expiry of previews, which outlives the process. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
}

export const systemClock: ManagerClock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};
