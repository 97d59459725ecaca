import { setTimeout as delay } from "node:timers/promises";
import { isRpcError } from "../rpc-error.ts";

/** When a call is made again. Only for errors that say so, and calls that may be made twice. */
export interface RetryOptions {
  /** With the first. Default 3: what two repetitions did not mend is not a passing fault. */
  readonly maxAttempts?: number | undefined;
  /** Before the first repetition; doubles with each. Default 50 ms: longer than a restart of a connection. */
  readonly baseDelayMs?: number | undefined;
  /** Default 2 s; a server's own hint may be longer. */
  readonly maxDelayMs?: number | undefined;
  /** Repetitions that each call allows. Default 0.1: a server that fails gets at most a tenth more calls. */
  readonly budgetRatio?: number | undefined;
}

/** Repetitions that may be saved up, and that a new client has: enough for one that calls rarely. */
const maxSavedRetries = 10;

/** The retries of one client: they share its budget. */
export class RetryPolicy {
  readonly #maxAttempts: number;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #budgetRatio: number;
  #saved = maxSavedRetries;

  constructor(options: RetryOptions = {}) {
    this.#maxAttempts = options.maxAttempts ?? 3;
    this.#baseDelayMs = options.baseDelayMs ?? 50;
    this.#maxDelayMs = options.maxDelayMs ?? 2_000;
    this.#budgetRatio = options.budgetRatio ?? 0.1;
  }

  /** Makes a call, again where that may help. Rejects with the last error. */
  async run<T>(
    isRepeatable: boolean,
    signal: AbortSignal,
    remainingMs: () => number,
    attempt: () => Promise<T>,
  ): Promise<T> {
    this.#saved = Math.min(maxSavedRetries, this.#saved + this.#budgetRatio);
    for (let number = 1; ; number++) {
      try {
        return await attempt();
      } catch (error) {
        const waitMs = isRepeatable && !signal.aborted ? this.#waitMs(error, number) : undefined;
        // What would come after the deadline is not worth waiting for: the error of now says more.
        if (waitMs === undefined || waitMs >= remainingMs() || this.#saved < 1) throw error;
        this.#saved--;
        await delay(waitMs, undefined, { signal });
      }
    }
  }

  /** Half of it by chance, so that clients that failed together do not come back together. */
  #waitMs(error: unknown, number: number): number | undefined {
    if (!isRpcError(error) || !error.retryable || number >= this.#maxAttempts) return undefined;
    const backoffMs = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** (number - 1));
    return Math.max(error.retryAfterMs ?? 0, backoffMs * (0.5 + Math.random() / 2));
  }
}
