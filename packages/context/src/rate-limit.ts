export interface CountedReport {
  /** What was counted since the last report, this one included. */
  readonly count: number;
}

export interface RateLimitOptions {
  /** Milliseconds between two reports. Default 60,000: often enough to be seen, too seldom to fill a log. */
  readonly intervalMs?: number | undefined;
  /** Milliseconds on a clock that never goes back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Counts, and reports at most once per interval: the first at once, those that follow with the first one behind the
 * interval. It has no timer, so it keeps no process alive (I9); what came last may wait for the next.
 */
export function createReportCounter(
  report: (counted: CountedReport) => void,
  options: RateLimitOptions = {},
): (count?: number) => void {
  const { intervalMs = 60_000, now = () => performance.now() } = options;
  let pending = 0;
  let nextAt = Number.NEGATIVE_INFINITY;
  return (count = 1) => {
    pending += count;
    const time = now();
    if (time < nextAt) return;
    nextAt = time + intervalMs;
    const counted = pending;
    pending = 0;
    report({ count: counted });
  };
}
