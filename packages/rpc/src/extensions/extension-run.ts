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

const none: Part[] = [];

/** What all extensions are around. */
export interface Work {
  perform(): unknown;
  /** What came of it when it threw this, or when the call was aborted for this reason. */
  failed(error: unknown): CallOutcome;
}

/** The extensions of one call, from `before` to `data`. */
export class ExtensionRun {
  readonly #active: readonly ActiveExtension[];
  readonly #facts: RunFacts;
  #begun: Part[] = none;
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
      if (state instanceof Promise) return this.#beginLater(part, state);
      this.#add(part, state);
    }
  }

  async #beginLater(part: Part, state: Promise<unknown>): Promise<void> {
    this.#add(part, await state);
    await this.begin();
  }

  #add(part: Part, state: unknown): void {
    part.state = state;
    // A list of one takes the room of one; to be pushed to, it would be made for many.
    if (this.#begun.length === 0) this.#begun = [part];
    else this.#begun.push(part);
  }

  /**
   * The work inside of every `around`, or the reason of the call's abort as soon as that comes. At once, if the work is
   * done at once and nothing is around it. Throws or rejects only when `failed` throws.
   */
  answer(work: Work): Soon<CallOutcome> {
    const { call } = this.#facts;
    if (call.isAborted) return work.failed(call.signal.reason);
    for (const { extension } of this.#begun)
      if (extension.around !== undefined) return this.#race(this.#around(work), work);
    let result: unknown;
    try {
      result = work.perform();
    } catch (error) {
      return work.failed(error);
    }
    if (isThenable(result)) return this.#race(outcomeOf(result, work), work);
    return call.isAborted ? work.failed(call.signal.reason) : { ok: true, result };
  }

  #around(work: Work): Promise<CallOutcome> {
    let next = (): Promise<CallOutcome> => outcomeOf((async () => await work.perform())(), work);
    for (const part of this.#begun.toReversed()) {
      const { extension, state } = part;
      if (extension.around === undefined) continue;
      const inner = next;
      next = async () => {
        try {
          return (await extension.around?.(part, inner, state)) as CallOutcome;
        } catch (error) {
          return work.failed(error);
        }
      };
    }
    return next();
  }

  #race(running: Promise<CallOutcome>, work: Work): Promise<CallOutcome> {
    const { signal } = this.#facts.call;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        try {
          resolve(work.failed(signal.reason));
        } catch (fault) {
          reject(fault);
        }
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      this.#work = running.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
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
      if (answers === undefined) answers = [{ urn, data }];
      else answers.push({ urn, data });
    }
    return answers;
  }
}

async function outcomeOf(running: PromiseLike<unknown>, work: Work): Promise<CallOutcome> {
  try {
    return { ok: true, result: await running };
  } catch (error) {
    return work.failed(error);
  }
}
