import type { ProxyLimits } from "./limits.ts";

const finestTickMs = 5;
/** All limits are seconds and more by default; nobody minds one more. */
const coarsestTickMs = 1_000;

/**
 * One coarse clock for all limits of a proxy: whoever begins to wait notes the tick, which costs nothing, and a sweep at each
 * tick looks for those who have waited too long. No timer per connection or request. A wait ends up to two ticks late.
 */
export class Clock {
  tick = 0;
  readonly tickMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: ProxyLimits) {
    const waits = [
      limits.headersTimeoutMs,
      limits.bodyIdleTimeoutMs,
      limits.requestTimeoutMs,
      limits.clientIdleTimeoutMs,
      limits.clientStallTimeoutMs,
      limits.lingerTimeoutMs,
      limits.upstreamIdleTimeoutMs,
    ].filter((limit) => limit > 0);
    this.tickMs = Math.max(
      finestTickMs,
      Math.min(coarsestTickMs, Math.min(...waits, coarsestTickMs * 4) / 4),
    );
  }

  start(sweep: () => void): void {
    this.#timer = setInterval(() => {
      this.tick++;
      sweep();
    }, this.tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether somebody who began to wait at a tick has waited longer than a limit, for certain. */
  isOver(sinceTick: number, limitMs: number): boolean {
    return (this.tick - sinceTick - 1) * this.tickMs >= limitMs;
  }

  /** The other way: whether it may be that long. */
  mayBeOver(sinceTick: number, limitMs: number): boolean {
    return (this.tick - sinceTick + 1) * this.tickMs > limitMs;
  }
}
