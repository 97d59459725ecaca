import type { Clock } from "./clock.ts";

/** Timers of JavaScript run at once beyond 2^31 ms, and previews may live longer; so no wait is longer than an hour. */
const maxWaitMs = 3_600_000;

/**
 * Remaining times by key, counted down by this machine's own monotonic clock (I2): neither a skewed clock elsewhere nor
 * a silent manager prolongs one. Calls `onExpired` when at least one has run out.
 */
export class Expiry {
  readonly #clock: Clock;
  readonly #onExpired: () => void;
  readonly #deadlines = new Map<string, number>();
  #cancel: () => void = () => {};

  constructor(clock: Clock, onExpired: () => void) {
    this.#clock = clock;
    this.#onExpired = onExpired;
  }

  set(key: string, remainingMs: number): void {
    this.#deadlines.set(key, this.#clock.now() + remainingMs);
  }

  has(key: string): boolean {
    return this.#deadlines.has(key);
  }

  hasEnded(key: string): boolean {
    const deadline = this.#deadlines.get(key);
    return deadline !== undefined && deadline <= this.#clock.now();
  }

  /** Forgets what is no longer asked about, so that this never grows beyond what it is for (I8). */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#deadlines.keys()) if (!keys.has(key)) this.#deadlines.delete(key);
  }

  /** Waits for the next end. To be called after each change. */
  arm(): void {
    this.#cancel();
    const now = this.#clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const deadline of this.#deadlines.values()) if (deadline > now && deadline < next) next = deadline;
    if (next === Number.POSITIVE_INFINITY) return;
    this.#cancel = this.#clock.after(Math.min(Math.ceil(next - now), maxWaitMs), () => {
      if (this.#clock.now() >= next) this.#onExpired();
      this.arm();
    });
  }

  stop(): void {
    this.#cancel();
  }
}
