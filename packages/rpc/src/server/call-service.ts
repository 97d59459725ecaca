import { channel } from "node:diagnostics_channel";
import { context as ambient, ambientStorage, type FaultHook } from "@clew/context";
import type { ForrstRequest, ResponseExtension } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { metadataReader } from "../envelope/metadata.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import type { CallOutcome } from "../extensions/extension.ts";
import type { ExtensionRegistry } from "../extensions/extension-registry.ts";
import { ExtensionRun } from "../extensions/extension-run.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, type Validation, validate } from "../validate.ts";
import type { Soon } from "../when-ready.ts";
import { endStream, writeEvents } from "./answer-stream.ts";
import type { FailedCall } from "./call.ts";
import { checkEvents } from "./check-result.ts";
import { DispatchedCall, unexpected } from "./dispatched-call.ts";
import type { Exchange } from "./exchange.ts";
import type { Definition, FunctionTable } from "./function-table.ts";
import { readContext } from "./request-context.ts";
import { type AnswerFacts, sendError, sendResult } from "./respond.ts";
import { metaHeaders, metaMember } from "./response-meta.ts";
import { ServerCall } from "./server-call.ts";
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
export interface Running {
  readonly exchange: Exchange;
  /** By `performance.now()`. */
  readonly receivedAt: number;
  /** As much as is known of the call so far. */
  call: FailedCall;
  /** Once it is read, until its extensions begin. */
  refusable: ForrstRequest | undefined;
  isStream: boolean;
}

const unknownCall: FailedCall = { id: null, function: undefined, version: undefined };

/** Answers calls, whatever transport brings them. */
export class CallService {
  readonly #options: CallServiceOptions;
  readonly #running = new Set<Running>();
  #closing: Promise<void> | undefined;
  #onIdle: () => void = () => {};

  constructor(options: CallServiceOptions) {
    this.#options = options;
  }

  /** Answers one request: in this turn, where nothing on the way takes its time. Never throws. */
  accept(exchange: Exchange): void {
    const running: Running = {
      exchange,
      receivedAt: performance.now(),
      call: unknownCall,
      refusable: undefined,
      isStream: false,
    };
    let work: Soon<void>;
    try {
      work = this.#answer(running);
    } catch (error) {
      this.#fail(running, error);
      return;
    }
    // What was answered in this turn was never under way.
    if (!(work instanceof Promise)) return;
    this.#running.add(running);
    work.then(
      () => this.#finish(running),
      (error: unknown) => {
        this.#fail(running, error);
        this.#finish(running);
      },
    );
  }

  #finish(running: Running): void {
    this.#running.delete(running);
    if (this.#running.size === 0) this.#onIdle();
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  async #drain(): Promise<void> {
    const ending = closingError();
    // Whoever closes it in a handler may be in a call that is not known to be under way yet.
    await undefined;
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

  /** Answers with an error. */
  #fail(running: Running, cause: unknown): void {
    const { exchange, call, refusable, receivedAt } = running;
    try {
      const error = this.#toRpcError(cause, call);
      const extensions = refusable && this.#options.extensions.refusedData(refusable, error, receivedAt);
      sendError(exchange, call.id, error, this.#facts(running, undefined, error, extensions));
    } catch (fault) {
      // Only a hook of the caller's can have thrown: its mistake must not end the process.
      internalErrorChannel.publish({ error: fault, call: factsOf(call) });
      exchange.destroy();
    }
  }

  /** What an answer says beside result or errors. */
  #facts(
    { receivedAt }: Running,
    call: ServerCall | undefined,
    error: RpcError | undefined,
    extensions: readonly ResponseExtension[] | undefined,
  ): AnswerFacts {
    const { node } = this.#options;
    const given = call?.givenMeta;
    return {
      extensions,
      meta: metaMember(node, given),
      headers: metaHeaders(performance.now() - receivedAt, node, given, error),
    };
  }

  /** What it throws, or rejects with, is the answer, as an error. */
  #answer(running: Running): Soon<void> {
    const { exchange } = running;
    const refusal = this.#refusal();
    if (refusal !== undefined && !exchange.isShared) throw refusal;
    const body = exchange.receive(this.#options.limits.maxBodyBytes);
    // Here and below: what is not awaited makes no closure either, of which a call would make a dozen.
    if (body instanceof Promise) return this.#readLater(running, body, refusal);
    return body === undefined ? undefined : this.#read(running, body, refusal);
  }

  #readLater(
    running: Running,
    receiving: Promise<Buffer | string | undefined>,
    refusal: RpcError | undefined,
  ): Promise<void> {
    return receiving.then((body) => (body === undefined ? undefined : this.#read(running, body, refusal)));
  }

  #refusal(): RpcError | undefined {
    if (this.#closing !== undefined) return closingError();
    const { maxCalls } = this.#options;
    if (this.#running.size < maxCalls) return undefined;
    return new RpcError("UNAVAILABLE", `${maxCalls} calls are under way already`);
  }

  #read(running: Running, body: Buffer | string, refusal: RpcError | undefined): Soon<void> {
    const { exchange } = running;
    const parsed = parseRequest(body, this.#options.limits, this.#options.largeIntegers);
    if (!parsed.ok) {
      running.call = { ...unknownCall, id: parsed.id };
      throw fromForrstErrors(parsed.errors);
    }
    const { request } = parsed;
    // Has the members of what is known of a call.
    running.call = request;
    if (refusal !== undefined) throw refusal;
    const identified = exchange.identify?.(request);
    if (identified instanceof Promise) return this.#dispatchLater(running, request, identified);
    return this.#dispatch(running, request);
  }

  async #dispatchLater(running: Running, request: ForrstRequest, identified: Promise<void>): Promise<void> {
    await identified;
    await this.#dispatch(running, request);
  }

  #dispatch(running: Running, request: ForrstRequest): Soon<void> {
    running.refusable = request;
    const definition = this.#options.table.resolve(request.function, request.version);
    if (definition instanceof RpcError) throw definition;
    const { extensions, limits, onContextFault } = this.#options;
    const active = extensions.negotiate(request, definition, limits.maxErrors);
    running.refusable = undefined;
    const { exchange, receivedAt } = running;
    const header = exchange.header ?? metadataReader(request.metadata);
    const context = readContext(header, request, onContextFault);
    const call = new ServerCall(exchange, header, request, definition, context);
    const run = new ExtensionRun(active, { request, target: definition, call, header, receivedAt });
    const dispatched = new DispatchedCall(this.#toRpcError, running, request, definition, call, run);
    let outcome: Soon<CallOutcome>;
    try {
      outcome = this.#perform(dispatched);
    } catch (fault) {
      return endWithFault(run, fault);
    }
    return outcome instanceof Promise
      ? this.#concludeLater(dispatched, outcome)
      : this.#conclude(dispatched, outcome);
  }

  async #concludeLater(dispatched: DispatchedCall, outcome: Promise<CallOutcome>): Promise<void> {
    let settled: CallOutcome;
    try {
      settled = await outcome;
    } catch (fault) {
      return endWithFault(dispatched.run, fault);
    }
    await this.#conclude(dispatched, settled);
  }

  /** Answers, and is done when the handler is: it may outlive its answer, and counts as under way until then (I8). */
  #conclude({ running, definition, call, run }: DispatchedCall, outcome: CallOutcome): Soon<void> {
    const { exchange } = running;
    const said = run.end(outcome);
    const error = outcome.ok ? undefined : outcome.error;
    const facts = this.#facts(running, call, error, said);
    if (definition.kind === "stream" && exchange.isBegun()) endStream(exchange, call.id, outcome, facts);
    else if (outcome.ok) sendResult(exchange, call.id, outcome.result, facts);
    else sendError(exchange, call.id, outcome.error, facts);
    return run.idle();
  }

  /** What fails is the outcome; throws or rejects only when a hook of the caller's throws. */
  #perform(dispatched: DispatchedCall): Soon<CallOutcome> {
    let outcome: Soon<CallOutcome>;
    try {
      const begun = dispatched.run.begin();
      outcome =
        begun instanceof Promise ? begun.then(() => this.#validate(dispatched)) : this.#validate(dispatched);
    } catch (error) {
      return dispatched.failed(error);
    }
    return outcome instanceof Promise ? outcome.catch((error) => dispatched.failed(error)) : outcome;
  }

  #validate(dispatched: DispatchedCall): Soon<CallOutcome> {
    const args = validate(dispatched.definition.arguments, dispatched.request.arguments);
    return args instanceof Promise ? this.#handleLater(dispatched, args) : this.#handle(dispatched, args);
  }

  async #handleLater(dispatched: DispatchedCall, args: Promise<Validation<unknown>>): Promise<CallOutcome> {
    return await this.#handle(dispatched, await args);
  }

  #handle(dispatched: DispatchedCall, args: Validation<unknown>): Soon<CallOutcome> {
    if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
    const { running, definition, call, run } = dispatched;
    if (definition.kind === "stream") {
      return this.#streamEvents(running, definition, args.value as never, call);
    }
    dispatched.args = args.value;
    const work = this.#options.checkResults === true ? dispatched.checked() : dispatched;
    // A context of its own always: there is no scope that could be it already.
    return ambientStorage().run(call.context, () => run.answer(work));
  }

  async #streamEvents(
    running: Running,
    definition: Definition & { kind: "stream" },
    args: never,
    call: ServerCall,
  ): Promise<CallOutcome> {
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
    return { ok: true, result: { streamed: true } };
  }

  readonly #toRpcError = (error: unknown, failed: FailedCall): RpcError => {
    if (isRpcError(error)) return error;
    const rescued = this.#options.rescue?.(error);
    if (rescued !== undefined) return rescued;
    const call = factsOf(failed);
    this.#options.onInternalError?.(error, call);
    if (internalErrorChannel.hasSubscribers) internalErrorChannel.publish({ error, call });
    return unexpected();
  };
}

/** Without the arguments, or whatever else is at hand: hooks and channels lead to logs. */
function factsOf({ id, function: name, version }: FailedCall): FailedCall {
  return { id, function: name, version };
}

/** Every extension that began ends, whatever happened. */
function endWithFault(run: ExtensionRun, fault: unknown): never {
  run.end({ ok: false, error: unexpected() });
  throw fault;
}

function closingError(): RpcError {
  return new RpcError("UNAVAILABLE", "The server is shutting down");
}
