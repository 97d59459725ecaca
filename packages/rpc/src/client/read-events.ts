import type { IncomingMessage } from "node:http";
import type { JsonValue } from "@clew/context";
import { defaultEnvelopeLimits, maxResponseBytes } from "../envelope/limits.ts";
import { parseJson } from "../envelope/parse-json.ts";
import { readError, readResponse } from "../envelope/parse-response.ts";
import { EventStreamParser, type ServerSentEvent } from "../extensions/event-stream-parser.ts";
import { eventStreamType } from "../extensions/stream.ts";
import { fromForrstErrors, RpcError } from "../rpc-error.ts";
import { type Endpoint, exchange } from "./http-exchange.ts";
import type { PreparedRequest } from "./prepare-request.ts";
import { readAnswer } from "./read-answer.ts";

export interface EventSource {
  readonly endpoint: Endpoint;
  readonly request: PreparedRequest;
  readonly signal: AbortSignal | undefined;
  readonly silenceMs: number;
}

/**
 * The stream's events as they come, none read ahead but what one read of the socket brings (I8). Ends when the server
 * says `complete` or the signal aborts; throws an `RpcError` otherwise.
 */
export async function* readEvents(source: EventSource): AsyncIterable<JsonValue> {
  const { signal } = source;
  const watch = new SilenceWatch(source);
  try {
    const response = await watch.over(exchange(source.endpoint, source.request, watch.signal, false));
    if (response.headers["content-type"]?.startsWith(eventStreamType) !== true) {
      throw await refusal(watch.over(readAnswer(response, source.request.id, source.endpoint.url.href)));
    }
    yield* readBody(response, source, watch);
  } catch (error) {
    if (signal?.aborted === true) return;
    throw watch.signal.aborted ? watch.signal.reason : error;
  } finally {
    watch.end();
  }
}

/** What a server that did not stream had to say. */
async function refusal(answer: Promise<JsonValue>): Promise<unknown> {
  return await answer.then(
    () => new RpcError("E_RPC_NOT_FORRST", "the server answered once where a stream was asked for"),
    (error: unknown) => error,
  );
}

async function* readBody(
  response: IncomingMessage,
  { endpoint, request }: EventSource,
  watch: SilenceWatch,
): AsyncIterable<JsonValue> {
  const parser = new EventStreamParser(maxResponseBytes);
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const step = await watch.over(chunks.next()).catch((cause: unknown) => {
      throw new RpcError("UNAVAILABLE", `the stream from ${endpoint.url.href} broke off`, { cause });
    });
    if (step.done === true) {
      throw new RpcError("UNAVAILABLE", `the stream from ${endpoint.url.href} ended before it was complete`);
    }
    const events = parser.push(step.value);
    if (events === "too-large") {
      const message = `${endpoint.url.href} sent an event of more than ${maxResponseBytes} bytes`;
      throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", message);
    }
    for (const event of events) {
      const read = readEvent(event, request.id, endpoint.url.href);
      if (read === "complete") return;
      if (read !== "ignored") yield read.value;
    }
  }
}

type ReadEvent = { readonly value: JsonValue } | "ignored" | "complete";

/** Throws the error that an `error` event carries. `progress`, `done` and unknown events are ignored. */
function readEvent({ event, data }: ServerSentEvent, id: string, url: string): ReadEvent {
  if (event !== "data" && event !== "error" && event !== "complete") return "ignored";
  const json = parseJson(Buffer.from(data), defaultEnvelopeLimits.maxDepth);
  if (!json.ok)
    throw new RpcError("E_RPC_NOT_FORRST", `${url} sent an event that is not JSON: ${json.message}`);
  if (event === "data") return { value: json.value };
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
    const { silenceMs, endpoint } = this.#source;
    const timer = setTimeout(() => {
      const message = `${endpoint.url.href} was silent for ${silenceMs} ms in a stream`;
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
