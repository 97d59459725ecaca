import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { context as ambient, type FaultHook } from "@clew/context";
import type { ForrstRequest } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import { coreExtensionName, streamUrn } from "../extensions/extension-urn.ts";
import { readStreamRequest, type StreamRequest } from "../extensions/stream.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, validate } from "../validate.ts";
import { answerStream } from "./answer-stream.ts";
import type { Call } from "./call.ts";
import { checkHttpRequest } from "./check-http-request.ts";
import type { ServerOptions } from "./create-server.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import { readBody } from "./read-body.ts";
import { readContext } from "./request-context.ts";
import { sendError, sendResult } from "./respond.ts";

const internalErrorChannel = channel("clew.rpc.internal-error");

export type HttpServiceOptions = Omit<ServerOptions, "limits"> & {
  readonly limits: EnvelopeLimits;
  readonly onContextFault: FaultHook;
  readonly table: FunctionTable;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly drainMs: number;
};

/** One request under way; aborted when its client is gone or the server ends. */
interface Exchange {
  readonly http: IncomingMessage;
  readonly response: ServerResponse;
  readonly abort: AbortController;
  id: string | null;
  streaming: boolean;
}

/** The HTTP binding. Source: Forrst specification, transport "HTTP". */
export class HttpService {
  readonly #options: HttpServiceOptions;
  readonly #exchanges = new Set<Exchange>();
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(options: HttpServiceOptions) {
    this.#options = options;
  }

  handle(http: IncomingMessage, response: ServerResponse): void {
    const exchange: Exchange = { http, response, abort: new AbortController(), id: null, streaming: false };
    this.#exchanges.add(exchange);
    response.once("close", () => {
      if (!response.writableFinished)
        exchange.abort.abort(new RpcError("UNAVAILABLE", "the client went away"));
    });
    void this.#answer(exchange)
      .catch((error: unknown) => this.#refuse(exchange, error))
      .finally(() => {
        this.#exchanges.delete(exchange);
        if (this.#exchanges.size === 0) this.#onIdle();
      });
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const ending = closingError();
    for (const exchange of this.#exchanges) if (exchange.streaming) exchange.abort.abort(ending);
    if (this.#exchanges.size === 0) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, this.#options.drainMs);
      this.#onIdle = () => {
        clearTimeout(giveUp);
        resolve();
      };
    });
    for (const exchange of this.#exchanges) exchange.abort.abort(ending);
  }

  /** What it throws is the answer, as {@link #refuse} writes it. */
  async #answer(exchange: Exchange): Promise<void> {
    const { http } = exchange;
    const { limits } = this.#options;
    if (this.#closing !== undefined) throw closingError();
    checkHttpRequest(http, limits.maxBodyBytes);
    await this.#options.admit?.(http);
    const body = await readBody(http, limits.maxBodyBytes);
    if (body.kind === "gone") return;
    if (body.kind === "too-large") throw tooLarge(limits.maxBodyBytes);
    const parsed = parseRequest(body.bytes, limits);
    if (!parsed.ok) {
      exchange.id = parsed.id;
      throw fromForrstErrors(parsed.errors);
    }
    exchange.id = parsed.request.id;
    await this.#dispatch(exchange, parsed.request);
  }

  async #dispatch(exchange: Exchange, request: ForrstRequest): Promise<void> {
    const definition = this.#options.table.resolve(request.function, request.version);
    if (isRpcError(definition)) throw definition;
    const stream = checkExtensions(request, definition);
    const args = await validate(definition.arguments, request.arguments);
    if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
    const call = this.#createCall(exchange, request, definition);
    if (definition.kind === "stream") {
      await this.#answerStream(exchange, definition, args.value as never, call, stream.urn);
      return;
    }
    const result = await ambient.run(call.context, async () => definition.handler(args.value as never, call));
    if (this.#options.checkResults === true) await checkValue(definition.result, result, definition.name);
    sendResult(exchange.response, request.id, result);
  }

  async #answerStream(
    exchange: Exchange,
    definition: Definition & { kind: "stream" },
    args: never,
    call: Call,
    urn: string,
  ): Promise<void> {
    exchange.streaming = true;
    if (this.#closing !== undefined) throw closingError();
    const { heartbeatMs, stallMs, checkResults } = this.#options;
    const run = <T>(step: () => T): T => ambient.run(call.context, step);
    const events = run(() => definition.handler(args, call));
    await answerStream({
      response: exchange.response,
      id: call.id,
      urn,
      events: checkResults === true ? checkEach(definition, events) : events,
      run,
      signal: call.signal,
      heartbeatMs,
      stallMs,
      toRpcError: (error) => this.#toRpcError(error, call),
    });
  }

  #createCall({ http, abort }: Exchange, request: ForrstRequest, { name, version }: Definition): Call {
    const context = readContext(http, request, this.#options.onContextFault);
    const { remoteAddress } = http.socket;
    const token = /^Bearer +(\S+)$/i.exec(http.headers.authorization ?? "")?.[1];
    return { id: request.id, function: name, version, signal: abort.signal, context, token, remoteAddress };
  }

  #refuse({ http, response, id }: Exchange, error: unknown): void {
    const refusal = this.#toRpcError(error, { id: id ?? "", function: "", version: "" });
    const headers: Record<string, string> = {};
    if (refusal.status === 401) headers["www-authenticate"] = `Bearer realm="${this.#options.service}"`;
    if (refusal.status === 405) headers["allow"] = "POST";
    // What is left of an unread body would be taken for the next request.
    if (!http.complete) headers["connection"] = "close";
    sendError(response, id, refusal, headers);
  }

  #toRpcError(error: unknown, call: Pick<Call, "id" | "function" | "version">): RpcError {
    if (isRpcError(error)) return error;
    const rescued = this.#options.rescue?.(error);
    if (rescued !== undefined) return rescued;
    const { id, function: name, version } = call;
    this.#options.onInternalError?.(error, { id, function: name, version });
    if (internalErrorChannel.hasSubscribers)
      internalErrorChannel.publish({ error, id, function: name, version });
    return new RpcError("INTERNAL_ERROR", "The server failed unexpectedly");
  }
}

function closingError(): RpcError {
  return new RpcError("UNAVAILABLE", "The server is shutting down");
}

function tooLarge(maxBytes: number): RpcError {
  return new RpcError("INVALID_REQUEST", `The request's body is larger than ${maxBytes} bytes`, {
    status: 413,
  });
}

/**
 * Unknown extensions are ignored, unless the request says `required`; known ones must suit the function.
 * Source: Forrst specification, extensions/index "Server Handling".
 */
function checkExtensions(request: ForrstRequest, definition: Definition): { readonly urn: string } {
  for (const [index, { urn, required }] of request.extensions.entries()) {
    if (required !== true || coreExtensionName(urn) === "stream") continue;
    throw new RpcError("EXTENSION_NOT_SUPPORTED", `Extension not supported: ${urn}`, {
      source: { pointer: `/extensions/${index}` },
      details: { unsupported: [urn], supported: [streamUrn] },
    });
  }
  const stream: StreamRequest = readStreamRequest(request);
  if (stream.kind === "invalid") throw fromForrstErrors([stream.error]);
  if (stream.kind === "accepted" && definition.kind === "function") {
    throw new RpcError("EXTENSION_NOT_APPLICABLE", "Function does not support streaming", {
      source: { pointer: `/extensions/${stream.index}` },
      details: { function: request.function, extension: stream.urn },
    });
  }
  if (stream.kind === "none" && definition.kind === "stream") {
    throw new RpcError("INVALID_REQUEST", `Function ${definition.name} answers only as a stream`, {
      source: { pointer: "/extensions" },
      hint: `Send the extension ${streamUrn} with { "accept": true }.`,
    });
  }
  return { urn: stream.kind === "accepted" ? stream.urn : streamUrn };
}

/** Throws what the caller sees as INTERNAL_ERROR: a result that breaks its own contract is the server's fault. */
async function checkValue(
  schema: Parameters<typeof validate>[0],
  value: unknown,
  name: string,
): Promise<void> {
  const checked = await validate(schema, value as never);
  if (checked.ok) return;
  const [{ pointer, message }] = checked.issues;
  throw new Error(`${name} returned what its contract does not allow at "${pointer}": ${message}`);
}

async function* checkEach(
  definition: Definition & { kind: "stream" },
  events: AsyncIterable<unknown>,
): AsyncIterable<unknown> {
  for await (const event of events) {
    await checkValue(definition.event, event, definition.name);
    yield event;
  }
}
