import type { HeaderReader } from "@clew/context";
import type { ForrstRequest, JsonObject, ResponseExtension } from "../envelope/document.ts";
import type { RpcError } from "../rpc-error.ts";
import type { ServerCall } from "../server/server-call.ts";
import { isThenable, type Soon } from "../when-ready.ts";
import type { CallOutcome, Extension, FunctionFacts, Invocation } from "./extension.ts";
import type { ActiveExtension } from "./extension-registry.ts";

/** What all extensions of a call are told alike. */
export interface RunFacts {
  readonly request: ForrstRequest;
  readonly target: FunctionFacts;
  readonly call: ServerCall;
  readonly header: HeaderReader;
  readonly receivedAt: number;
}

/** One extension's part in a call. */
class Part implements Invocation {
  readonly extension: Extension;
  readonly urn: string;
  readonly options: JsonObject;
  readonly isAsked: boolean;
  readonly #facts: RunFacts;
  /** What `before` returned. */
  state: unknown = undefined;

  constructor({ extension, urn, options, isAsked }: ActiveExtension, facts: RunFacts) {
    this.extension = extension;
    this.urn = urn;
    this.options = options;
    this.isAsked = isAsked;
    this.#facts = facts;
  }

  get request(): ForrstRequest {
    return this.#facts.request;
  }

  get target(): FunctionFacts {
    return this.#facts.target;
  }

  get call(): ServerCall {
    return this.#facts.call;
  }

  get header(): HeaderReader {
    return this.#facts.header;
  }

  get receivedAt(): number {
    return this.#facts.receivedAt;
  }

  /** Made when it is asked for, as few do. */
  get abort(): (reason: RpcError) => void {
    const { call } = this.#facts;
    return (reason) => call.abort(reason);
  }
}

type ToRpcError = (error: unknown) => RpcError;

/** The extensions of one call, from `before` to `data`. */
export class ExtensionRun {
  readonly #active: readonly ActiveExtension[];
  readonly #facts: RunFacts;
  readonly #begun: Part[] = [];
  #work: Promise<void> | undefined = undefined;

  constructor(active: readonly ActiveExtension[], facts: RunFacts) {
    this.#active = active;
    this.#facts = facts;
  }

  /** Throws, or rejects with, what a `before` throws. */
  begin(): Soon<void> {
    for (let at = this.#begun.length; at < this.#active.length; at++) {
      const part = new Part(this.#active[at] as ActiveExtension, this.#facts);
      const state = part.extension.before?.(part);
      if (state instanceof Promise) {
        return state.then((settled) => {
          part.state = settled;
          this.#begun.push(part);
          return this.begin();
        });
      }
      part.state = state;
      this.#begun.push(part);
    }
  }

  /**
   * The handler inside of every `around`, or the reason of the call's abort as soon as that comes. At once, if the
   * handler answers at once and nothing is around it. Throws or rejects only when `toRpcError` throws.
   */
  answer(handler: () => unknown, toRpcError: ToRpcError): Soon<CallOutcome> {
    const { call } = this.#facts;
    if (call.isAborted) return { ok: false, error: toRpcError(call.signal.reason) };
    if (this.#begun.some(({ extension }) => extension.around !== undefined)) {
      return this.#race(this.#around(handler, toRpcError), toRpcError);
    }
    let result: unknown;
    try {
      result = handler();
    } catch (error) {
      return { ok: false, error: toRpcError(error) };
    }
    if (isThenable(result)) return this.#race(outcomeOf(result, toRpcError), toRpcError);
    return call.isAborted ? { ok: false, error: toRpcError(call.signal.reason) } : { ok: true, result };
  }

  #around(handler: () => unknown, toRpcError: ToRpcError): Promise<CallOutcome> {
    let next = (): Promise<CallOutcome> => outcomeOf((async () => await handler())(), toRpcError);
    for (const part of this.#begun.toReversed()) {
      const { extension, state } = part;
      if (extension.around === undefined) continue;
      const inner = next;
      next = async () => {
        try {
          return (await extension.around?.(part, inner, state)) as CallOutcome;
        } catch (error) {
          return { ok: false, error: toRpcError(error) };
        }
      };
    }
    return next();
  }

  #race(work: Promise<CallOutcome>, toRpcError: ToRpcError): Promise<CallOutcome> {
    const { signal } = this.#facts.call;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        try {
          resolve({ ok: false, error: toRpcError(signal.reason) });
        } catch (fault) {
          reject(fault);
        }
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      this.#work = work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  /** Resolves when handler and every `around` are done, which may be long after an abort was answered. */
  idle(): Promise<void> | undefined {
    return this.#work;
  }

  /**
   * Runs every `after`, then asks those that the request named, in the order of the list, what the answer is to say
   * of them.
   */
  end(outcome: CallOutcome): readonly ResponseExtension[] | undefined {
    for (const part of this.#begun) part.extension.after?.(part, outcome, part.state);
    let answers: ResponseExtension[] | undefined;
    for (const part of this.#begun) {
      const { extension, urn, isAsked, state } = part;
      if (!isAsked && extension.answersUnasked !== true) continue;
      const data = extension.data?.(part, outcome, state);
      if (data === undefined) continue;
      answers ??= [];
      answers.push({ urn, data });
    }
    return answers;
  }
}

async function outcomeOf(work: PromiseLike<unknown>, toRpcError: ToRpcError): Promise<CallOutcome> {
  try {
    return { ok: true, result: await work };
  } catch (error) {
    return { ok: false, error: toRpcError(error) };
  }
}
