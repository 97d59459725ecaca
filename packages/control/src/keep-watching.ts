import { ClewError } from "@clew/errors";
import type { Clock } from "./clock.ts";

/** First wait is up to this long: a manager that only restarts is back at once. */
const minBackoffMs = 100;
/** Longest wait: a manager that comes back is found within this time, well before a lease of 15 s ends. */
const maxBackoffMs = 5_000;
/** A watch that lived this long was sound: the next failure starts again with short waits. */
const soundAfterMs = 5_000;

export interface Watching<Event> {
  readonly open: (signal: AbortSignal) => AsyncIterable<Event>;
  /** False: what was received does not fit; watch anew. */
  readonly onEvent: (event: Event) => boolean;
  readonly onConnection: (up: boolean, error?: unknown) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** From 0 to 1. Full jitter, so that many agents do not come back as one. */
  readonly random?: (() => number) | undefined;
}

/**
 * Watches until the signal aborts, whatever happens: a connection that ends, breaks, falls silent or is refused is made
 * again, with growing waits. Never rejects.
 */
export async function keepWatching<Event>(watching: Watching<Event>): Promise<void> {
  const { signal, clock, random = Math.random } = watching;
  const report = createConnectionReport(watching.onConnection);
  for (let attempt = 0; !signal.aborted; attempt++) {
    const openedAt = clock.now();
    const error = await watchOnce(watching, () => report(true));
    if (signal.aborted) return;
    report(false, error);
    if (clock.now() - openedAt >= soundAfterMs) attempt = 0;
    const ceilingMs = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(attempt, 16));
    await pause(random() * ceilingMs, watching);
  }
}

/** Resolves with why it ended, if for a reason. */
async function watchOnce<Event>(watching: Watching<Event>, onUp: () => void): Promise<unknown> {
  const connection = new AbortController();
  const onAbort = (): void => connection.abort();
  watching.signal.addEventListener("abort", onAbort, { once: true });
  try {
    for await (const event of watching.open(connection.signal)) {
      if (watching.signal.aborted) return undefined;
      onUp();
      if (!watching.onEvent(event)) return missedUpdate();
    }
    return undefined;
  } catch (error) {
    return error;
  } finally {
    watching.signal.removeEventListener("abort", onAbort);
    connection.abort();
  }
}

function missedUpdate(): ClewError {
  const message = "an update was missed; the whole state is asked for anew";
  return new ClewError("E_WATCH_GAP", message, { retryable: true });
}

/** Says only what is new: up, down, and another reason for being down. */
function createConnectionReport(onConnection: (up: boolean, error?: unknown) => void): typeof onConnection {
  let last: string | undefined;
  return (up, error) => {
    const state = up ? "up" : `down ${(error as { code?: string } | undefined)?.code ?? ""}`;
    if (state === last) return;
    last = state;
    if (up) onConnection(true);
    else onConnection(false, error);
  };
}

function pause(delayMs: number, { clock, signal }: Pick<Watching<never>, "clock" | "signal">): Promise<void> {
  return new Promise((resolve) => {
    const onAbort = (): void => {
      cancel();
      resolve();
    };
    const cancel = clock.after(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/** A watcher outlives what its user does wrong: an error of a callback becomes a process warning (I2). */
export function guarded<Args extends readonly unknown[]>(
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.emitWarning("A callback of a watcher threw; the watcher goes on.", {
        code: "CLEW_CALLBACK_FAILED",
        detail,
      });
    }
  };
}
