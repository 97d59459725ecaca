import type { DestinationPolicy, JsonValue } from "@clew/context";
import type { FunctionContract, StreamContract } from "../contract.ts";
import type { RequestExtension, ResponseExtension } from "../envelope/document.ts";
import type { LargeIntegers } from "../envelope/large-integers.ts";
import { deadlineUrn, idempotencyUrn, streamUrn } from "../extensions/extension-urn.ts";
import type { Progress } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import { currentCall } from "../server/call-context.ts";
import type { TlsClientOptions } from "../transports/tls-options.ts";
import { validate } from "../validate.ts";
import { type ClientTracing, deadlineOf } from "./call-extensions.ts";
import { createTransport, isTransportUrl } from "./create-transport.ts";
import { type Interceptor, intercept } from "./outgoing-call.ts";
import { createPreparer } from "./prepare-request.ts";
import { readEvents, type StreamEvent } from "./read-events.ts";
import { RefusedExtensions } from "./refused-extensions.ts";
import { type ResumeOptions, resumeStream } from "./resume-stream.ts";
import type { RetryOptions } from "./retry.ts";
import { createUnaryCalls } from "./unary-calls.ts";

export interface ClientOptions {
  /**
   * Where the service answers: `http://host:port/path` and `https://…` (HTTP/1.1), `h2c://…` and `h2://…` (HTTP/2
   * without and with TLS), `unix:/path/of.sock` (a Unix socket).
   */
  readonly url: string;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string | undefined;
  /** Name of the calling service: the `caller` of every request. */
  readonly service: string;
  /** From call to whole answer. Default 10 s: longer than a person waits, shorter than a proxy does. */
  readonly timeoutMs?: number | undefined;
  /** A stream without a byte for this long is dead. Default 12 s: two of the server's heartbeats missed, and some. */
  readonly streamSilenceMs?: number | undefined;
  /** Calls under way at once; the next is refused as UNAVAILABLE. Default 1,000 (I8). */
  readonly maxCalls?: number | undefined;
  /** For `https:` and `h2:`. */
  readonly tls?: TlsClientOptions | undefined;
  /** What becomes of integers in results and events that a number cannot hold. Default `refuse`: never rounded silently. */
  readonly largeIntegers?: LargeIntegers | undefined;
  /** Which destinations get the context (I5). */
  readonly destinations?: DestinationPolicy | undefined;
  /** When a call is made again. Only where the error says so, and the contract or an idempotency key allows it. */
  readonly retry?: RetryOptions | undefined;
  /** Default `continue`. */
  readonly tracing?: ClientTracing | undefined;
  /** Around each call, the first outermost; not around streams. */
  readonly interceptors?: readonly Interceptor[] | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. A call made in a handler has no longer than what is left of the handler's deadline. */
  readonly timeoutMs?: number | undefined;
  /** Takes no deadline over from the call that is being handled: for what must be done also when its time is over. */
  readonly isDetached?: boolean | undefined;
  /**
   * Names this operation, up to 256 characters: however often it is sent, the server does it once. A server without
   * the idempotency extension refuses the call. Allows retries.
   */
  readonly idempotencyKey?: string | undefined;
  /** Further ones of the request. */
  readonly extensions?: readonly RequestExtension[] | undefined;
  /** Called with what a successful answer says of the extensions. */
  readonly onExtensions?: ((extensions: readonly ResponseExtension[]) => void) | undefined;
}

export interface StreamOptions {
  /** Ends the stream without an error. */
  readonly signal?: AbortSignal | undefined;
  /** The stream begins behind this event, if its server can do that. */
  readonly lastEventId?: string | undefined;
  /** Called before each event that has an id, with it. */
  readonly onEventId?: ((id: string) => void) | undefined;
  /** Called when the server tells how far it has come; may be called between any two events. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Takes the stream up again when it breaks, if its events have ids. Default: it ends with UNAVAILABLE. */
  readonly resume?: ResumeOptions | undefined;
}

export interface ForrstClient {
  /**
   * Rejects with an `RpcError`: the server's, or UNAVAILABLE (not reachable, connection lost), DEADLINE_EXCEEDED,
   * E_RPC_NOT_FORRST (something else answered), E_RPC_RESULT (the answer breaks the contract),
   * E_RPC_RESPONSE_TOO_LARGE. With the signal's reason when that aborted.
   */
  call<Args, Result>(
    contract: FunctionContract<Args, Result>,
    args: Args,
    options?: CallOptions,
  ): Promise<Result>;
  /**
   * Calls when iteration begins. Throws as `call` does, UNAVAILABLE also when the connection ends before the server
   * said that the stream is complete and `resume` does not help. Reads no faster than it is iterated.
   */
  stream<Args, Event>(
    contract: StreamContract<Args, Event>,
    args: Args,
    options?: StreamOptions,
  ): AsyncIterable<Event>;
  /** Lets go of kept connections. Calls under way go on. */
  close(): void;
}

/** Throws E_RPC_OPTIONS for a URL, service name or token that cannot be sent. */
export function createClient(options: ClientOptions): ForrstClient {
  const url = readUrl(options);
  const transport = createTransport(url, options.tls);
  const prepare = createPreparer(options, url);
  const { timeoutMs: defaultTimeoutMs = 10_000, streamSilenceMs = 12_000, maxCalls = 1_000 } = options;
  const { retry, interceptors = [], largeIntegers } = options;
  const refused = new RefusedExtensions();
  const send = intercept(
    interceptors,
    createUnaryCalls({ transport, prepare, url: url.href, maxCalls, retry, largeIntegers, refused }),
  );
  return {
    async call(contract, args, { signal, idempotencyKey, ...given } = {}) {
      const remainingMs = given.isDetached === true ? undefined : currentCall()?.deadline?.remainingMs();
      const timeoutMs = Math.min(
        given.timeoutMs ?? defaultTimeoutMs,
        remainingMs ?? Number.POSITIVE_INFINITY,
      );
      const { name, version } = contract;
      const isRepeatable = contract.idempotent === true || idempotencyKey !== undefined;
      const extensions = [...idempotency(idempotencyKey), ...(given.extensions ?? [])];
      const call = { function: name, version, arguments: args, isRepeatable, extensions, signal, timeoutMs };
      const answer = await send(call);
      given.onExtensions?.(answer.extensions);
      return await checked(contract, contract.result, answer.result);
    },
    async *stream(contract, args, { signal, lastEventId, onEventId, onProgress, resume } = {}) {
      const open = (lastId: string | undefined): AsyncIterable<StreamEvent> =>
        refused.streamWithout(contract.name, (omitted) => {
          const request = prepare(contract, args, streamExtensions(lastId, omitted), omitted);
          const silenceMs = streamSilenceMs;
          return readEvents({
            transport,
            url: url.href,
            request,
            signal,
            silenceMs,
            onProgress,
            largeIntegers,
          });
        });
      const events =
        resume === undefined ? open(lastEventId) : resumeStream(open, resume, lastEventId, signal);
      for await (const { value, id } of events) {
        const event = await checked(contract, contract.event, value);
        if (id !== undefined) onEventId?.(id);
        yield event;
      }
    },
    close: () => transport.close(),
  };
}

function streamExtensions(
  lastEventId: string | undefined,
  omitted: ReadonlySet<string>,
): readonly RequestExtension[] {
  const options = {
    accept: true,
    ...(lastEventId === undefined ? undefined : { last_event_id: lastEventId }),
  };
  const stream = { urn: streamUrn, options, required: true };
  const deadline = omitted.has(deadlineUrn) ? undefined : currentCall()?.deadline;
  return deadline === undefined ? [stream] : [stream, deadlineOf(deadline.remainingMs())];
}

function idempotency(key: string | undefined): readonly RequestExtension[] {
  return key === undefined ? [] : [{ urn: idempotencyUrn, options: { key }, required: true }];
}

async function checked<T>(
  { name, version }: { readonly name: string; readonly version: string },
  schema: Parameters<typeof validate<T>>[0],
  value: JsonValue,
): Promise<T> {
  const outcome = await validate(schema, value);
  if (outcome.ok) return outcome.value;
  const [{ pointer, message }] = outcome.issues;
  throw new RpcError(
    "E_RPC_RESULT",
    `${name} answered what its contract does not allow at "${pointer}": ${message}`,
    {
      hint: `Client and server may have different ideas of ${name} ${version}; bring both to the same release.`,
      retryable: false,
    },
  );
}

function readUrl({ url: text, service, token }: ClientOptions): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isTransportUrl(url)) {
    throw new RpcError("E_RPC_OPTIONS", `"${text}" is not a URL that a Forrst server can have`, {
      hint: "Use http://, https://, h2c:// or h2:// with a host, or unix: with an absolute path.",
    });
  }
  if (!/^[\x21-\x7e]{1,256}$/.test(service)) {
    throw new RpcError("E_RPC_OPTIONS", `"${service}" is not a service name`, {
      hint: "Use up to 256 visible ASCII characters, such as checkout-service.",
    });
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new RpcError("E_RPC_OPTIONS", "the token has characters that no header can hold");
  }
  return url;
}
