import { channel } from "node:diagnostics_channel";
import { context as ambient, type FaultHook, type HeaderReader } from "@clew/context";
import type { ForrstRequest, ResponseExtension } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { metadataReader } from "../envelope/metadata.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import type { CallOutcome, Invocation } from "../extensions/extension.ts";
import type { ExtensionRegistry } from "../extensions/extension-registry.ts";
import { ExtensionRun } from "../extensions/extension-run.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, validate } from "../validate.ts";
import { endStream, writeEvents } from "./answer-stream.ts";
import type { Call, FailedCall } from "./call.ts";
import { CallContext } from "./call-context.ts";
import { checkEvents, checkResult } from "./check-result.ts";
import type { Exchange } from "./exchange.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import { readContext } from "./request-context.ts";
import { sendError, sendResult } from "./respond.ts";
import type { ServerOptions } from "./server-options.ts";

const internalErrorChannel = channel("clew.rpc.internal-error");

export type CallServiceOptions = Omit<ServerOptions, "limits" | "admit" | "extensions"> & {
  readonly limits: EnvelopeLimits;
  readonly onContextFault: FaultHook;
  readonly table: FunctionTable;
  readonly extensions: ExtensionRegistry;
  readonly heartbeatMs: number;
  readonly stallMs: number;
  readonly maxCalls: number;
  readonly drainMs: number;
};

/** One request under way. */
interface Running {
  readonly exchange: Exchange;
  /** By `performance.now()`. */
  readonly receivedAt: number;
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
    const running: Running = { exchange, receivedAt: performance.now(), call, isStream: false };
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
    const { exchange } = running;
    const refusal =
      this.#closing !== undefined
        ? closingError()
        : this.#running.size > maxCalls
          ? new RpcError("UNAVAILABLE", `${maxCalls} calls are under way already`)
          : undefined;
    if (refusal !== undefined && !exchange.isShared) throw refusal;
    const body = await exchange.receive(limits.maxBodyBytes);
    if (body === undefined) return;
    const parsed = parseRequest(body, limits, this.#options.largeIntegers);
    if (!parsed.ok) {
      running.call = { ...running.call, id: parsed.id };
      throw fromForrstErrors(parsed.errors);
    }
    const { request } = parsed;
    running.call = { id: request.id, function: request.function, version: request.version };
    if (refusal !== undefined) throw refusal;
    await exchange.identify?.(request);
    await this.#dispatch(running, request);
  }

  async #dispatch(running: Running, request: ForrstRequest): Promise<void> {
    const definition = this.#options.table.resolve(request.function, request.version);
    if (isRpcError(definition)) throw definition;
    const { extensions, limits } = this.#options;
    const active = extensions.negotiate(request, definition, limits.maxErrors);
    const { exchange, receivedAt } = running;
    const header = exchange.header ?? metadataReader(request.metadata);
    const call = this.#createCall(exchange, header, request, definition);
    const abort = (reason: RpcError): void => exchange.abort.abort(reason);
    const run = new ExtensionRun(active, { request, target: definition, call, header, receivedAt, abort });
    let outcome: CallOutcome | undefined;
    let said: readonly ResponseExtension[] | undefined;
    try {
      outcome = await this.#perform(running, request, definition, call, run);
    } finally {
      // An error is made only where it is needed: its stack would cost more than all the rest of a call.
      said = run.end(outcome ?? { ok: false, error: unexpected() });
    }
    if (definition.kind === "stream" && exchange.isBegun()) endStream(exchange, call.id, outcome, said);
    else if (outcome.ok) sendResult(exchange, request.id, outcome.result, said);
    else sendError(exchange, request.id, outcome.error, said);
    // A handler may outlive its answer; it counts as under way until it is done (I8).
    await run.idle();
  }

  /** What fails is the outcome; rejects only when a hook of the caller's throws. */
  async #perform(
    running: Running,
    { arguments: given }: ForrstRequest,
    definition: Definition,
    call: Call,
    run: ExtensionRun,
  ): Promise<CallOutcome> {
    try {
      await run.begin();
      const args = await validate(definition.arguments, given);
      if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
      if (definition.kind === "stream") {
        await this.#streamEvents(running, definition, args.value as never, call);
        return { ok: true, result: { streamed: true } };
      }
      const handle = async (): Promise<unknown> => {
        const result = await definition.handler(args.value as never, call);
        if (this.#options.checkResults === true) await checkResult(definition, result);
        return result;
      };
      const toRpcError = (error: unknown): RpcError => this.#toRpcError(error, call);
      return await ambient.run(call.context, () => run.answer(handle, call.signal, toRpcError));
    } catch (error) {
      return { ok: false, error: this.#toRpcError(error, call) };
    }
  }

  async #streamEvents(
    running: Running,
    definition: Definition & { kind: "stream" },
    args: never,
    call: Call,
  ): Promise<void> {
    running.isStream = true;
    // The server may have begun to close while the arguments were validated.
    if (this.#closing !== undefined) throw closingError();
    const { heartbeatMs, stallMs, checkResults } = this.#options;
    const run = <T>(step: () => T): T => ambient.run(call.context, step);
    const events = run(() => definition.handler(args, call));
    await writeEvents({
      exchange: running.exchange,
      id: call.id,
      events: checkResults === true ? checkEvents(definition, events) : events,
      run,
      signal: call.signal,
      heartbeatMs,
      stallMs,
    });
  }

  #createCall(
    { remoteAddress, abort }: Exchange,
    header: HeaderReader,
    request: ForrstRequest,
    { name, version }: Definition,
  ): Invocation["call"] {
    const call: Invocation["call"] = {
      id: request.id,
      function: name,
      version,
      signal: abort.signal,
      context: readContext(header, request, this.#options.onContextFault),
      token: /^Bearer +(\S+)$/i.exec([header("authorization")].flat()[0] ?? "")?.[1],
      remoteAddress,
      trace: undefined,
      deadline: undefined,
      idempotency: undefined,
      lastEventId: undefined,
    };
    call.context = new CallContext(call.context, call);
    return call;
  }

  #toRpcError(error: unknown, { id, function: name, version }: FailedCall): RpcError {
    if (isRpcError(error)) return error;
    const rescued = this.#options.rescue?.(error);
    if (rescued !== undefined) return rescued;
    const call: FailedCall = { id, function: name, version };
    this.#options.onInternalError?.(error, call);
    if (internalErrorChannel.hasSubscribers) internalErrorChannel.publish({ error, call });
    return unexpected();
  }
}

function unexpected(): RpcError {
  return new RpcError("INTERNAL_ERROR", "The server failed unexpectedly");
}

function closingError(): RpcError {
  return new RpcError("UNAVAILABLE", "The server is shutting down");
}
