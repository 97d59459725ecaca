import { setTimeout as delay } from "node:timers/promises";
import { isRpcError } from "../rpc-error.ts";
import type { StreamEvent } from "./read-events.ts";

/** How a broken stream is taken up again behind the last event that came with an id. */
export interface ResumeOptions {
  /** Attempts without an event in between. Default 5. */
  readonly maxAttempts?: number | undefined;
  /** Before the first attempt; doubles with each. Default 100 ms. */
  readonly baseDelayMs?: number | undefined;
}

/**
 * Opens a stream, and again when it breaks as UNAVAILABLE: nothing that came with an id is lost or comes twice. A
 * stream whose events have no ids breaks for good, since nobody could say where to go on.
 */
export async function* resumeStream(
  open: (lastEventId: string | undefined) => AsyncIterable<StreamEvent>,
  { maxAttempts = 5, baseDelayMs = 100 }: ResumeOptions,
  lastEventId: string | undefined,
  signal: AbortSignal | undefined,
): AsyncIterable<StreamEvent> {
  let lastId = lastEventId;
  let failures = 0;
  for (;;) {
    try {
      for await (const event of open(lastId)) {
        // Without an id of its own an event cannot be told from those that are sent again.
        lastId = event.id;
        failures = 0;
        yield event;
      }
      return;
    } catch (error) {
      const isBreak = isRpcError(error) && error.code === "UNAVAILABLE";
      if (!isBreak || lastId === undefined || failures >= maxAttempts) throw error;
      failures++;
    }
    try {
      await delay(baseDelayMs * 2 ** (failures - 1) * (0.5 + Math.random() / 2), undefined, { signal });
    } catch {
      // The caller has aborted: a stream's end without an error.
      return;
    }
  }
}
