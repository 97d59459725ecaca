import { channel } from "node:diagnostics_channel";
import type { IncomingMessage, ServerResponse } from "node:http";
import { context as ambient, type FaultHook } from "@clew/context";
import type { ForrstRequest } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import { negotiateExtensions } from "../extensions/negotiate.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, validate } from "../validate.ts";
import { answerStream } from "./answer-stream.ts";
import type { Call, FailedCall } from "./call.ts";
import { checkHttpRequest } from "./check-http-request.ts";
import { checkEvents, checkResult } from "./check-result.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import { readBody } from "./read-body.ts";
import { readContext } from "./request-context.ts";
import { sendError, sendResult } from "./respond.ts";
import type { ServerOptions } from "./server-options.ts";

const internalErrorChannel = channel("clew.rpc.internal-error");

export type HttpServiceOptions = Omit<ServerOptions, "limits"> & {
  readonly limits: EnvelopeLimits;
  readonly onContextFault: FaultHook;
  readonly table: FunctionTable;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly maxCalls: number;
  readonly drainMs: number;
};

/** One request under way; aborted when its client is gone or the server ends. */
interface Exchange {
  readonly http: IncomingMessage;
  readonly response: ServerResponse;
  readonly abort: AbortController;
  /** As much as is known of the call so far. */
  call: FailedCall;
  isStream: boolean;
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
    const call: FailedCall = { id: null, function: undefined, version: undefined };
    const exchange: Exchange = { http, response, abort: new AbortController(), call, isStream: false };
    this.#exchanges.add(exchange);
    response.once("close", () => {
      if (!response.writableFinished)
        exchange.abort.abort(new RpcError("UNAVAILABLE", "the client went away"));
    });
    void this.#answer(exchange)
      .catch((error: unknown) => this.#refuse(exchange, error))
      .catch((error: unknown) => {
        // Only a hook of the caller's can have thrown: its mistake must not end the process.
        internalErrorChannel.publish({ error, call: exchange.call });
        response.destroy();
      })
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
    for (const exchange of this.#exchanges) if (exchange.isStream) exchange.abort.abort(ending);
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
    const { limits, maxCalls } = this.#options;
    if (this.#closing !== undefined) throw closingError();
    if (this.#exchanges.size > maxCalls)
      throw new RpcError("UNAVAILABLE", `${maxCalls} calls are under way already`);
    checkHttpRequest(http, limits.maxBodyBytes);
    await this.#options.admit?.(http);
    const body = await readBody(http, limits.maxBodyBytes);
    if (body.kind === "gone") return;
    if (body.kind === "too-large") {
      const message = `The request's body is larger than ${limits.maxBodyBytes} bytes`;
      throw new RpcError("INVALID_REQUEST", message, { status: 413 });
    }
    const parsed = parseRequest(body.bytes, limits);
    if (!parsed.ok) {
      exchange.call = { ...exchange.call, id: parsed.id };
      throw fromForrstErrors(parsed.errors);
    }
    const { request } = parsed;
    exchange.call = { id: request.id, function: request.function, version: request.version };
    await this.#dispatch(exchange, request);
  }

  async #dispatch(exchange: Exchange, request: ForrstRequest): Promise<void> {
    const definition = this.#options.table.resolve(request.function, request.version);
    if (isRpcError(definition)) throw definition;
    const streamUrn = negotiateExtensions(request, definition.kind);
    const args = await validate(definition.arguments, request.arguments);
    if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
    const call = this.#createCall(exchange, request, definition);
    if (definition.kind === "stream") {
      await this.#answerStream(exchange, definition, args.value as never, call, streamUrn as string);
      return;
    }
    const result = await ambient.run(call.context, async () => definition.handler(args.value as never, call));
    if (this.#options.checkResults === true) await checkResult(definition, result);
    sendResult(exchange.response, request.id, result);
  }

  async #answerStream(
    exchange: Exchange,
    definition: Definition & { kind: "stream" },
    args: never,
    call: Call,
    urn: string,
  ): Promise<void> {
    exchange.isStream = true;
    // The server may have begun to close while the arguments were validated.
    if (this.#closing !== undefined) throw closingError();
    const { heartbeatMs, stallMs, checkResults } = this.#options;
    const run = <T>(step: () => T): T => ambient.run(call.context, step);
    const events = run(() => definition.handler(args, call));
    await answerStream({
      response: exchange.response,
      id: call.id,
      urn,
      events: checkResults === true ? checkEvents(definition, events) : events,
      run,
      signal: call.signal,
      heartbeatMs,
      stallMs,
      toRpcError: (error) => this.#toRpcError(error, call),
    });
  }

  #createCall({ http, abort }: Exchange, request: ForrstRequest, { name, version }: Definition): Call {
    const context = readContext(http, request, this.#options.onContextFault);
    const token = /^Bearer +(\S+)$/i.exec(http.headers.authorization ?? "")?.[1];
    const { remoteAddress } = http.socket;
    return { id: request.id, function: name, version, signal: abort.signal, context, token, remoteAddress };
  }

  #refuse({ http, response, call }: Exchange, error: unknown): void {
    const refusal = this.#toRpcError(error, call);
    const headers: Record<string, string> = {};
    if (refusal.status === 401) headers["www-authenticate"] = `Bearer realm="${this.#options.service}"`;
    if (refusal.status === 405) headers["allow"] = "POST";
    // What is left of an unread body would be taken for the next request.
    if (!http.complete) headers["connection"] = "close";
    sendError(response, call.id, refusal, headers);
  }

  #toRpcError(error: unknown, { id, function: name, version }: FailedCall): RpcError {
    if (isRpcError(error)) return error;
    const rescued = this.#options.rescue?.(error);
    if (rescued !== undefined) return rescued;
    const call: FailedCall = { id, function: name, version };
    this.#options.onInternalError?.(error, call);
    if (internalErrorChannel.hasSubscribers) internalErrorChannel.publish({ error, call });
    return new RpcError("INTERNAL_ERROR", "The server failed unexpectedly");
  }
}

function closingError(): RpcError {
  return new RpcError("UNAVAILABLE", "The server is shutting down");
}
