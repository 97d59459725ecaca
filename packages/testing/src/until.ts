import { setTimeout as delay } from "node:timers/promises";

export interface UntilOptions {
  /** Default 5,000: far above what loopback needs, far below a test runner's patience. */
  readonly timeoutMs?: number | undefined;
  /** What is being waited for; goes into the error. */
  readonly what?: string | undefined;
}

/** Pause between two checks. Short, since nothing else tells that the state has changed. */
const pollIntervalMs = 5;

/**
 * Waits until `check` gives a value that is not false, null or undefined, and returns it; for state that has no event to await.
 * Rejects when time is up, with the last error that `check` threw as its cause.
 */
export async function until<T>(
  check: () => T | Promise<T>,
  options: UntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const { timeoutMs = 5_000, what = String(check) } = options;
  const end = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await check();
      if (value !== false && value !== null && value !== undefined) {
        return value as Exclude<T, false | null | undefined>;
      }
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(pollIntervalMs);
  } while (performance.now() < end);
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause });
}
