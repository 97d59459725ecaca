import { channel } from "node:diagnostics_channel";
import { context as ambient, type FaultHook } from "@clew/context";
import type { ForrstRequest, ResponseExtension } from "../envelope/document.ts";
import type { EnvelopeLimits } from "../envelope/limits.ts";
import { metadataReader } from "../envelope/metadata.ts";
import { parseRequest } from "../envelope/parse-request.ts";
import type { CallOutcome } from "../extensions/extension.ts";
import type { ExtensionRegistry } from "../extensions/extension-registry.ts";
import { ExtensionRun } from "../extensions/extension-run.ts";
import { fromForrstErrors, isRpcError, RpcError } from "../rpc-error.ts";
import { argumentErrors, type Validation, validate } from "../validate.ts";
import { type Soon, whenReady } from "../when-ready.ts";
import { endStream, writeEvents } from "./answer-stream.ts";
import type { FailedCall } from "./call.ts";
import { checkEvents, checkResult } from "./check-result.ts";
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
interface Running {
  readonly exchange: Exchange;
  /** By `performance.now()`. */
  readonly receivedAt: number;
  /** As much as is known of the call so far. */
  call: FailedCall;
  /** Once it is read, until its extensions begin. */
  refusable: ForrstRequest | undefined;
  isStream: boolean;
}

/** A call whose function was found and whose extensions take part. */
interface Dispatched {
  readonly running: Running;
  readonly request: ForrstRequest;
  readonly definition: Definition;
  readonly call: ServerCall;
  readonly run: ExtensionRun;
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
    return whenReady(exchange.receive(this.#options.limits.maxBodyBytes), (body) =>
      body === undefined ? undefined : this.#read(running, body, refusal),
    );
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
    return whenReady(exchange.identify?.(request), () => this.#dispatch(running, request));
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
    const dispatched: Dispatched = { running, request, definition, call, run };
    let outcome: Soon<CallOutcome>;
    try {
      outcome = this.#perform(dispatched);
    } catch (fault) {
      return endWithFault(run, fault);
    }
    if (!(outcome instanceof Promise)) return this.#conclude(dispatched, outcome);
    return outcome.then(
      (settled) => this.#conclude(dispatched, settled),
      (fault: unknown) => endWithFault(run, fault),
    );
  }

  /** Answers, and is done when the handler is: it may outlive its answer, and counts as under way until then (I8). */
  #conclude({ running, definition, call, run }: Dispatched, outcome: CallOutcome): Soon<void> {
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
  #perform(dispatched: Dispatched): Soon<CallOutcome> {
    const failed = (error: unknown): CallOutcome => ({
      ok: false,
      error: this.#toRpcError(error, dispatched.call),
    });
    let outcome: Soon<CallOutcome>;
    try {
      outcome = whenReady(dispatched.run.begin(), () => this.#validate(dispatched));
    } catch (error) {
      return failed(error);
    }
    return outcome instanceof Promise ? outcome.catch(failed) : outcome;
  }

  #validate(dispatched: Dispatched): Soon<CallOutcome> {
    const { definition, request } = dispatched;
    return whenReady(validate(definition.arguments, request.arguments), (args) =>
      this.#handle(dispatched, args),
    );
  }

  #handle({ running, definition, call, run }: Dispatched, args: Validation<unknown>): Soon<CallOutcome> {
    if (!args.ok) throw fromForrstErrors(argumentErrors(args.issues, this.#options.limits.maxErrors));
    if (definition.kind === "stream") {
      const streamed: CallOutcome = { ok: true, result: { streamed: true } };
      return this.#streamEvents(running, definition, args.value as never, call).then(() => streamed);
    }
    const handle = (): unknown => definition.handler(args.value as never, call);
    const checked = async (): Promise<unknown> => {
      const result = await handle();
      await checkResult(definition, result);
      return result;
    };
    const handler = this.#options.checkResults === true ? checked : handle;
    const toRpcError = (error: unknown): RpcError => this.#toRpcError(error, call);
    return ambient.run(call.context, () => run.answer(handler, toRpcError));
  }

  async #streamEvents(
    running: Running,
    definition: Definition & { kind: "stream" },
    args: never,
    call: ServerCall,
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

  #toRpcError(error: unknown, failed: FailedCall): RpcError {
    if (isRpcError(error)) return error;
    const rescued = this.#options.rescue?.(error);
    if (rescued !== undefined) return rescued;
    const call = factsOf(failed);
    this.#options.onInternalError?.(error, call);
    if (internalErrorChannel.hasSubscribers) internalErrorChannel.publish({ error, call });
    return unexpected();
  }
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

function unexpected(): RpcError {
  return new RpcError("INTERNAL_ERROR", "The server failed unexpectedly");
}

function closingError(): RpcError {
  return new RpcError("UNAVAILABLE", "The server is shutting down");
}
