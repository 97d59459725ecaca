import type { ServerResponse } from "node:http";
import { maxResponseBytes } from "../envelope/limits.ts";
import { writeResponse } from "../envelope/write.ts";
import { eventStreamType, heartbeat, writeEvent } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import { requestIdHeader } from "./respond.ts";

export interface StreamAnswer {
  readonly response: ServerResponse;
  readonly id: string;
  /** The stream extension's URN as the request wrote it. */
  readonly urn: string;
  readonly events: AsyncIterable<unknown>;
  /** Runs each step of the handler inside the request's context. */
  readonly run: <T>(step: () => T) => T;
  readonly signal: AbortSignal;
  readonly heartbeatMs: number;
  /** How long a reader may leave a full connection unread. */
  readonly stallMs: number;
  readonly toRpcError: (error: unknown) => RpcError;
}

/**
 * Passes the handler's events on as server-sent events, taking the next only when the connection has room (I8: one
 * event beside the socket's own buffer). The head goes out with the first event or heartbeat, so an error before that
 * still has an HTTP status of its own: it is thrown. Later ones end the stream with an `error` event.
 */
export async function answerStream(answer: StreamAnswer): Promise<void> {
  const { response, signal } = answer;
  const iterator = answer.run(() => answer.events[Symbol.asyncIterator]());
  const beat = setInterval(() => {
    begin(answer);
    if (!response.writableNeedDrain) response.write(heartbeat);
  }, answer.heartbeatMs);
  try {
    for (;;) {
      const step = await untilAborted(
        answer.run(() => iterator.next()),
        signal,
      );
      if (step.done === true) break;
      begin(answer);
      if (!response.write(writeEvent("data", writeData(step.value)))) await drained(answer);
    }
    begin(answer);
    response.end(completion(answer));
  } catch (error) {
    if (!response.headersSent) throw error;
    const [first] = answer.toRpcError(error).errors;
    if (!response.destroyed) response.end(writeEvent("error", JSON.stringify(first)));
  } finally {
    clearInterval(beat);
    // The handler may wait for something that never comes: it is told to stop, and not waited for.
    void Promise.resolve(answer.run(() => iterator.return?.())).catch(() => {});
  }
}

function begin({ response, id }: StreamAnswer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(200, {
    "content-type": eventStreamType,
    "cache-control": "no-store",
    ...requestIdHeader(id),
  });
}

function writeData(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  if (text.length <= maxResponseBytes) return text;
  throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `an event is larger than ${maxResponseBytes} bytes`, {
    status: 500,
  });
}

/** Source: Forrst specification, extensions/stream "SSE Event Types". */
function completion({ id, urn }: StreamAnswer): string {
  const extensions = [{ urn, data: { enabled: true, content_type: eventStreamType, completed: true } }];
  return (
    writeEvent("done", "null") +
    writeEvent("complete", writeResponse({ id, result: { streamed: true }, extensions }))
  );
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

function drained({ response, signal, stallMs }: StreamAnswer): Promise<void> {
  return new Promise((resolve, reject) => {
    const stalled = setTimeout(() => {
      response.destroy();
      finish(() => reject(new RpcError("UNAVAILABLE", `the reader took nothing for ${stallMs} ms`)));
    }, stallMs);
    const onDrain = (): void => finish(resolve);
    const onAbort = (): void => finish(() => reject(signal.reason));
    const finish = (settle: () => void): void => {
      clearTimeout(stalled);
      response.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    response.once("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
