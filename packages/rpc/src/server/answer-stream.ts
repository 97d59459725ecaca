import { stringifyExact } from "../envelope/large-integers.ts";
import { maxResponseBytes } from "../envelope/limits.ts";
import { writeResponse } from "../envelope/write.ts";
import type { CallOutcome } from "../extensions/extension.ts";
import { ProgressEvent, ResumableEvent } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import type { Exchange } from "./exchange.ts";
import type { AnswerFacts } from "./respond.ts";

export interface StreamAnswer {
  readonly exchange: Exchange;
  readonly id: string;
  readonly events: AsyncIterable<unknown>;
  /** Runs each step of the handler inside the request's context. */
  readonly run: <T>(step: () => T) => T;
  readonly signal: AbortSignal;
  readonly heartbeatMs: number;
  /** How long a reader may leave a full connection unread. */
  readonly stallMs: number;
}

/**
 * Passes the handler's events on as server-sent events, taking the next only when the connection has room (I8: one
 * event beside the socket's own buffer). The head goes out with the first event or heartbeat, so an error before that
 * still has an HTTP status of its own. Throws what ends the stream before its handler is done.
 */
export async function writeEvents(answer: StreamAnswer): Promise<void> {
  const { exchange, id, signal } = answer;
  const iterator = answer.run(() => answer.events[Symbol.asyncIterator]());
  const beat = setInterval(() => {
    exchange.beginStream(id);
    if (!exchange.isFull()) exchange.beat();
  }, answer.heartbeatMs);
  try {
    for (;;) {
      const step = await untilAborted(
        answer.run(() => iterator.next()),
        signal,
      );
      if (step.done === true) break;
      exchange.beginStream(id);
      const { value } = step;
      if (value instanceof ResumableEvent) exchange.writeEvent("data", writeData(value.value), value.id);
      else if (value instanceof ProgressEvent) exchange.writeEvent("progress", writeData(value.progress));
      else exchange.writeEvent("data", writeData(value));
      if (exchange.isFull()) await drained(answer);
    }
    exchange.beginStream(id);
  } finally {
    clearInterval(beat);
    // The handler may wait for something that never comes: it is told to stop, and not waited for.
    void Promise.resolve(answer.run(() => iterator.return?.())).catch(() => {});
  }
}

function writeData(value: unknown): string {
  const text = stringifyExact(value ?? null);
  if (text.length <= maxResponseBytes) return text;
  throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `an event is larger than ${maxResponseBytes} bytes`, {
    status: 500,
  });
}

/** Source: Forrst specification, extensions/stream "SSE Event Types". */
export function endStream(
  exchange: Exchange,
  id: string,
  outcome: CallOutcome,
  { extensions, meta }: AnswerFacts,
): void {
  if (!outcome.ok) {
    exchange.endStream("error", JSON.stringify(outcome.error.errors[0]));
    return;
  }
  exchange.writeEvent("done", "null");
  exchange.endStream("complete", writeResponse({ id, result: outcome.result as never, extensions, meta }));
}

/** A listener per step and not one promise for all steps: a race against a promise that lives long keeps every loser. */
function untilAborted<T>(step: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    step.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

function drained({ exchange, signal, stallMs }: StreamAnswer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(() => {
      exchange.destroy();
      finish(() => reject(new RpcError("UNAVAILABLE", `the reader took nothing for ${stallMs} ms`)));
    }, stallMs);
    const onAbort = (): void => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      clearTimeout(stalled);
      stopWaiting();
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const stopWaiting = exchange.whenFree(() => finish(resolve));
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
