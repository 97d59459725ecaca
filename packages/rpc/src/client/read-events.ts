import type { JsonValue } from "@clew/context";
import { isJsonObject } from "../envelope/document.ts";
import type { LargeIntegers } from "../envelope/large-integers.ts";
import { defaultEnvelopeLimits } from "../envelope/limits.ts";
import { parseJson } from "../envelope/parse-json.ts";
import { readError, readResponse } from "../envelope/parse-response.ts";
import type { ServerSentEvent } from "../extensions/event-stream-parser.ts";
import type { Progress } from "../extensions/stream.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import type { PreparedRequest } from "./prepare-request.ts";
import { readAnswer, resolveExact } from "./read-answer.ts";
import type { ClientTransport } from "./transport.ts";

export interface StreamEvent {
  readonly value: JsonValue;
  /** Given by the server where the stream can be taken up again behind the event. */
  readonly id: string | undefined;
}

export interface EventSource {
  readonly transport: ClientTransport;
  /** Of the server, for messages. */
  readonly url: string;
  readonly request: PreparedRequest;
  readonly signal: AbortSignal | undefined;
  readonly silenceMs: number;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly largeIntegers?: LargeIntegers | undefined;
}

/**
 * The stream's events as they come, none read ahead but what one read of the socket brings (I8). Ends when the server
 * says `complete` or the signal aborts; throws an `RpcError` otherwise.
 */
export async function* readEvents(source: EventSource): AsyncIterable<StreamEvent> {
  const { signal } = source;
  const watch = new SilenceWatch(source);
  try {
    const options = { signal: watch.signal, isRepeatable: false, isStream: true };
    const answer = await watch.over(source.transport.send(source.request, options));
    if (answer.kind === "document") {
      throw await refusal(watch.over(readAnswer(answer, source.request.id, source.url)));
    }
    yield* readBatches(answer.batches, source, watch);
  } catch (error) {
    if (signal?.aborted === true) return;
    throw watch.signal.aborted ? watch.signal.reason : error;
  } finally {
    watch.end();
  }
}

/** What a server that did not stream had to say. */
async function refusal(answer: Promise<unknown>): Promise<unknown> {
  return await answer.then(
    () => new RpcError("E_RPC_NOT_FORRST", "the server answered once where a stream was asked for"),
    (error: unknown) => error,
  );
}

async function* readBatches(
  batches: AsyncIterator<readonly ServerSentEvent[]>,
  { url, request, largeIntegers, onProgress }: EventSource,
  watch: SilenceWatch,
): AsyncIterable<StreamEvent> {
  for (;;) {
    const step = await watch.over(batches.next()).catch((cause: unknown) => {
      if (isRpcError(cause)) throw cause;
      throw new RpcError("UNAVAILABLE", `the stream from ${url} broke off`, { cause });
    });
    if (step.done === true) {
      throw new RpcError("UNAVAILABLE", `the stream from ${url} ended before it was complete`);
    }
    for (const event of step.value) {
      if (event.event === "progress") {
        const progress = onProgress && readProgress(event.data);
        if (progress !== undefined) onProgress?.(progress);
        continue;
      }
      const read = readEvent(event, request.id, url, largeIntegers);
      if (read === "complete") return;
      if (read !== "ignored") yield read;
    }
  }
}

type ReadEvent = StreamEvent | "ignored" | "complete";

/** Undefined for what is none: nothing depends on it. */
function readProgress(data: string): Progress | undefined {
  const json = parseJson(Buffer.from(data), defaultEnvelopeLimits.maxDepth);
  if (!json.ok || !isJsonObject(json.value)) return undefined;
  const { current, total, percent, message } = json.value;
  if (typeof current !== "number" || typeof total !== "number") return undefined;
  return {
    current,
    total,
    ...(typeof percent === "number" ? { percent } : undefined),
    ...(typeof message === "string" ? { message } : undefined),
  };
}

/** Throws the error that an `error` event carries. `done` and unknown events are ignored. */
function readEvent(
  { event, data, id: eventId }: ServerSentEvent,
  id: string,
  url: string,
  largeIntegers: LargeIntegers = "refuse",
): ReadEvent {
  if (event !== "data" && event !== "error" && event !== "complete") return "ignored";
  const json = parseJson(Buffer.from(data), defaultEnvelopeLimits.maxDepth);
  if (!json.ok)
    throw new RpcError("E_RPC_NOT_FORRST", `${url} sent an event that is not JSON: ${json.message}`);
  if (event === "data") {
    const { value, marked } = json;
    return { value: marked === undefined ? value : resolveExact(marked, largeIntegers, url), id: eventId };
  }
  if (event === "error") {
    const error = readError(json.value) ?? {
      code: "INTERNAL_ERROR",
      message: "the stream failed without a reason",
    };
    throw fromForrstErrors([error]);
  }
  const answer = readResponse(json.value);
  if (answer === undefined || answer.id !== id) {
    throw new RpcError("E_RPC_NOT_FORRST", `${url} completed a stream that it was not asked for`);
  }
  if (!answer.outcome.ok) throw fromForrstErrors(answer.outcome.errors);
  return "complete";
}

/** Aborts the request when the server is silent for too long while something is awaited from it, or the caller aborts. */
class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #source: EventSource;
  readonly #onAbort: () => void;

  constructor(source: EventSource) {
    this.#source = source;
    const { signal } = source;
    this.#onAbort = () => this.#controller.abort(signal?.reason);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Nothing is timed while the consumer is busy: only the server's silence counts. */
  async over<T>(promise: Promise<T>): Promise<T> {
    const { silenceMs, url } = this.#source;
    const timer = setTimeout(() => {
      const message = `${url} was silent for ${silenceMs} ms in a stream`;
      this.#controller.abort(new RpcError("UNAVAILABLE", message));
    }, silenceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes the connection, however the stream ended. */
  end(): void {
    this.#source.signal?.removeEventListener("abort", this.#onAbort);
    this.#controller.abort();
  }
}
