import { channel } from "node:diagnostics_channel";
import { context as ambient, type FaultHook } from "@clew/context";
import type { ForrstRequest } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import { negotiateExtensions } from "../extensions/negotiate.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, validate } from "../validate.ts";
import { answerStream } from "./answer-stream.ts";
import type { Call, FailedCall } from "./call.ts";
import { checkEvents, checkResult } from "./check-result.ts";
import type { Exchange } from "./exchange.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import { readContext } from "./request-context.ts";
import { sendError, sendResult } from "./respond.ts";
import type { ServerOptions } from "./server-options.ts";

const internalErrorChannel = channel("clew.rpc.internal-error");

export type CallServiceOptions = Omit<ServerOptions, "limits" | "admit"> & {
  readonly limits: EnvelopeLimits;
  readonly onContextFault: FaultHook;
  readonly table: FunctionTable;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly maxCalls: number;
  readonly drainMs: number;
};

/** One request under way. */
interface Running {
  readonly exchange: Exchange;
  /** As much as is known of the call so far. */
  call: FailedCall;
  isStream: boolean;
}

/** Answers calls, whatever transport brings them. */
export class CallService {
  readonly #options: CallServiceOptions;
  readonly #running = new Set<Running>();
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(options: CallServiceOptions) {
    this.#options = options;
  }

  /** Answers one request. Never throws. */
  accept(exchange: Exchange): void {
    const call: FailedCall = { id: null, function: undefined, version: undefined };
    const running: Running = { exchange, call, isStream: false };
    this.#running.add(running);
    void this.#answer(running)
      .catch((error: unknown) => sendError(exchange, running.call.id, this.#toRpcError(error, running.call)))
      .catch((error: unknown) => {
        // Only a hook of the caller's can have thrown: its mistake must not end the process.
        internalErrorChannel.publish({ error, call: running.call });
        exchange.destroy();
      })
      .finally(() => {
        this.#running.delete(running);
        if (this.#running.size === 0) this.#onIdle();
      });
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const ending = closingError();
    for (const { exchange, isStream } of this.#running) if (isStream) exchange.abort.abort(ending);
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      const giveUp = setTimeout(resolve, this.#options.drainMs);
      this.#onIdle = () => {
        clearTimeout(giveUp);
        resolve();
      };
    });
    for (const { exchange } of this.#running) exchange.abort.abort(ending);
  }

  /** What it throws is the answer, as an error. */
  async #answer(running: Running): Promise<void> {
    const { limits, maxCalls } = this.#options;
    if (this.#closing !== undefined) throw closingError();
    if (this.#running.size > maxCalls)
      throw new RpcError("UNAVAILABLE", `${maxCalls} calls are under way already`);
    const body = await running.exchange.receive(limits.maxBodyBytes);
    if (body === undefined) return;
    const parsed = parseRequest(body, limits);
    if (!parsed.ok) {
      running.call = { ...running.call, id: parsed.id };
      throw fromForrstErrors(parsed.errors);
    }
    const { request } = parsed;
    running.call = { id: request.id, function: request.function, version: request.version };
    await this.#dispatch(running, request);
  }

  async #dispatch(running: Running, request: ForrstRequest): Promise<void> {
    const definition = this.#options.table.resolve(request.function, request.version);
    if (isRpcError(definition)) throw definition;
    const streamUrn = negotiateExtensions(request, definition.kind);
    const args = await validate(definition.arguments, request.arguments);
    if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
    const call = this.#createCall(running.exchange, request, definition);
    if (definition.kind === "stream") {
      await this.#answerStream(running, definition, args.value as never, call, streamUrn as string);
      return;
    }
    const result = await ambient.run(call.context, async () => definition.handler(args.value as never, call));
    if (this.#options.checkResults === true) await checkResult(definition, result);
    sendResult(running.exchange, request.id, result);
  }

  async #answerStream(
    running: Running,
    definition: Definition & { kind: "stream" },
    args: never,
    call: Call,
    urn: string,
  ): Promise<void> {
    running.isStream = true;
    // The server may have begun to close while the arguments were validated.
    if (this.#closing !== undefined) throw closingError();
    const { heartbeatMs, stallMs, checkResults } = this.#options;
    const run = <T>(step: () => T): T => ambient.run(call.context, step);
    const events = run(() => definition.handler(args, call));
    await answerStream({
      exchange: running.exchange,
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

  #createCall(exchange: Exchange, request: ForrstRequest, { name, version }: Definition): Call {
    const context = readContext(exchange.header, request, this.#options.onContextFault);
    const { token, remoteAddress, abort } = exchange;
    return { id: request.id, function: name, version, signal: abort.signal, context, token, remoteAddress };
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
