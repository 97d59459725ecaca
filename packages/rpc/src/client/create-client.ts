import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { DestinationPolicy, JsonValue } from "@clew/context";
import type { FunctionContract, StreamContract } from "../contract.ts";
import { streamUrn } from "../extensions/extension-urn.ts";
import { RpcError } from "../rpc-error.ts";
import { validate } from "../validate.ts";
import { createDeadline } from "./deadline.ts";
import { type Endpoint, exchange } from "./http-exchange.ts";
import { createPreparer } from "./prepare-request.ts";
import { readAnswer } from "./read-answer.ts";
import { readEvents } from "./read-events.ts";

export interface ClientOptions {
  /** Where the service answers, such as `http://127.0.0.1:7400/forrst`. */
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
  /** Which destinations get the context (I5). */
  readonly destinations?: DestinationPolicy | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the client's. */
  readonly timeoutMs?: number | undefined;
}

export interface StreamOptions {
  /** Ends the stream without an error. */
  readonly signal?: AbortSignal | undefined;
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
   * said that the stream is complete. Reconnecting is the caller's business. Reads no faster than it is iterated.
   */
  stream<Args, Event>(
    contract: StreamContract<Args, Event>,
    args: Args,
    options?: StreamOptions,
  ): AsyncIterable<Event>;
  /** Lets go of kept connections. Calls under way go on. */
  close(): void;
}

/** Connections for calls; streams have one of their own each, so that they never keep a call waiting. */
const maxSockets = 64;

/**
 * How long an unused connection is kept. Less than the 5 s after which Node's servers close theirs, so that a call
 * does not meet a connection that is just being closed.
 */
const idleSocketMs = 2_000;

/** Throws E_RPC_OPTIONS for a URL, service name or token that cannot be sent. */
export function createClient(options: ClientOptions): ForrstClient {
  const endpoint = createEndpoint(options);
  const prepare = createPreparer(options, endpoint.url);
  const { timeoutMs: defaultTimeoutMs = 10_000, streamSilenceMs = 12_000, maxCalls = 1_000 } = options;
  let calls = 0;
  return {
    async call(contract, args, { signal, timeoutMs = defaultTimeoutMs } = {}) {
      if (calls >= maxCalls) {
        throw new RpcError("UNAVAILABLE", `${maxCalls} calls to ${endpoint.url.href} are under way already`);
      }
      calls++;
      const deadline = createDeadline(timeoutMs, signal, `${contract.name} at ${endpoint.url.href}`);
      try {
        const request = prepare(contract, args, []);
        const response = await exchange(endpoint, request, deadline.signal, contract.idempotent === true);
        const result = await readAnswer(response, request.id, endpoint.url.href);
        return await checked(contract, contract.result, result);
      } catch (error) {
        throw deadline.signal.aborted ? deadline.signal.reason : error;
      } finally {
        deadline.clear();
        calls--;
      }
    },
    async *stream(contract, args, { signal } = {}) {
      const request = prepare(contract, args, [
        { urn: streamUrn, options: { accept: true }, required: true },
      ]);
      const events = readEvents({
        endpoint: { ...endpoint, agent: false },
        request,
        signal,
        silenceMs: streamSilenceMs,
      });
      for await (const event of events) yield await checked(contract, contract.event, event);
    },
    close() {
      const { agent } = endpoint;
      // `destroy` would end calls under way too; theirs end when they come free and none may be kept.
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
    },
  };
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

function createEndpoint({
  url: text,
  service,
  token,
}: ClientOptions): Endpoint & { readonly agent: HttpAgent } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new RpcError("E_RPC_OPTIONS", `"${text}" is not an http or https URL`);
  }
  if (!/^[\x21-\x7e]{1,256}$/.test(service)) {
    throw new RpcError("E_RPC_OPTIONS", `"${service}" is not a service name`, {
      hint: "Use up to 256 visible ASCII characters, such as checkout-service.",
    });
  }
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new RpcError("E_RPC_OPTIONS", "the token has characters that no header can hold");
  }
  const Agent = url.protocol === "https:" ? HttpsAgent : HttpAgent;
  return { url, agent: new Agent({ keepAlive: true, maxSockets, timeout: idleSocketMs }) };
}
