import type { RegistryClock } from "../clock.ts";

/** A clock that stands until it is told to go on. */
export interface ManualClock extends RegistryClock {
  /** Calls back what comes due on the way, each at its own time. */
  advance(ms: number): void;
  /** As a process that was stopped sees it: time is over, then what was due in it is called. */
  jump(ms: number): void;
}

export function createManualClock(): ManualClock {
  let now = 0;
  const timers = new Map<symbol, { readonly at: number; readonly callback: () => void }>();
  const callDue = (until: number, seenAt: (at: number) => number): void => {
    for (;;) {
      const [next] = [...timers].filter(([, { at }]) => at <= until).sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) return;
      const [id, { at, callback }] = next;
      timers.delete(id);
      now = seenAt(at);
      callback();
    }
  };
  return {
    monotonicMs: () => now,
    after(delayMs, callback) {
      const id = Symbol();
      timers.set(id, { at: now + delayMs, callback });
      return () => timers.delete(id);
    },
    advance(ms) {
      const end = now + ms;
      callDue(end, (at) => at);
      now = end;
    },
    jump(ms) {
      now += ms;
      callDue(now, () => now);
    },
  };
}
