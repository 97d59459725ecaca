import type { ResponseExtension } from "../envelope/document.ts";
import type { RpcError } from "../rpc-error.ts";
import type { CallOutcome, Invocation } from "./extension.ts";
import type { ActiveExtension } from "./extension-registry.ts";

interface Begun {
  readonly active: ActiveExtension;
  readonly invocation: Invocation;
  readonly state: unknown;
}

/** The extensions of one call, from `before` to `data`. */
export class ExtensionRun {
  readonly #active: readonly ActiveExtension[];
  readonly #common: Omit<Invocation, "options" | "isAsked">;
  readonly #begun: Begun[] = [];
  #work: Promise<unknown> | undefined;

  constructor(active: readonly ActiveExtension[], common: Omit<Invocation, "options" | "isAsked">) {
    this.#active = active;
    this.#common = common;
  }

  /** Throws what a `before` throws. */
  async begin(): Promise<void> {
    for (const active of this.#active) {
      const { options, isAsked } = active;
      const invocation: Invocation = { ...this.#common, options, isAsked };
      const begun = active.extension.before?.(invocation);
      // Awaiting only what has to be awaited spares the ordinary call a turn of the queue for each extension.
      const state = begun instanceof Promise ? await begun : begun;
      this.#begun.push({ active, invocation, state });
    }
  }

  /** The handler inside of every `around`, or the reason of the call's abort as soon as that comes. Rejects only when `toRpcError` throws. */
  answer(
    handler: () => Promise<unknown>,
    signal: AbortSignal,
    toRpcError: (error: unknown) => RpcError,
  ): Promise<CallOutcome> {
    const failed = (error: unknown): CallOutcome => ({ ok: false, error: toRpcError(error) });
    let next = (): Promise<CallOutcome> =>
      handler().then((result): CallOutcome => ({ ok: true, result }), failed);
    for (const { active, invocation, state } of this.#begun.toReversed()) {
      const { extension } = active;
      if (extension.around === undefined) continue;
      const inner = next;
      next = async () => {
        try {
          return (await extension.around?.(invocation, inner, state)) as CallOutcome;
        } catch (error) {
          return failed(error);
        }
      };
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => resolve(failed(signal.reason));
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      else
        this.#work = next()
          .then(resolve, reject)
          .finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  /** Resolves when handler and every `around` are done, which may be long after an abort was answered. */
  async idle(): Promise<void> {
    await this.#work;
  }

  /** Runs every `after`, and returns what the answer says of the extensions that were asked for, in the order of the list. */
  end(outcome: CallOutcome): readonly ResponseExtension[] | undefined {
    const answers: ResponseExtension[] = [];
    for (const { active, invocation, state } of this.#begun) {
      active.extension.after?.(invocation, outcome, state);
      if (!active.isAsked) continue;
      const data = active.extension.data?.(invocation, outcome, state);
      if (data !== undefined) answers.push({ urn: active.urn, data });
    }
    return answers.length === 0 ? undefined : answers;
  }
}
