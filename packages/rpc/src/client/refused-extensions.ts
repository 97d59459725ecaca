import { canonicalUrn, deadlineUrn, tracingUrn } from "../extensions/extension-urn.ts";
import { isRpcError } from "../rpc-error.ts";

/** Functions remembered at once (I8). */
const maxFunctions = 1_000;

const none: ReadonlySet<string> = new Set();

/**
 * Which functions want no tracing or deadline. A client sends both with every call and nobody asked for them, so a
 * function that does not take one is called again without, and so from then on.
 * Source: Forrst specification, system-functions "Extension Support".
 */
export class RefusedExtensions {
  readonly #refused = new Map<string, Set<string>>();

  /** URNs that a function refused. */
  of(name: string): ReadonlySet<string> {
    return this.#refused.get(name) ?? none;
  }

  /** True when the call failed for nothing but such an extension, which is left out from now on: nothing was done. */
  learn(name: string, error: unknown): boolean {
    if (!isRpcError(error) || error.code !== "EXTENSION_NOT_APPLICABLE") return false;
    const { extension } = error.details ?? {};
    const urn = typeof extension === "string" ? canonicalUrn(extension) : undefined;
    if ((urn !== tracingUrn && urn !== deadlineUrn) || this.of(name).has(urn)) return false;
    if (this.#refused.size >= maxFunctions) this.#refused.clear();
    this.#refused.set(name, new Set([...this.of(name), urn]));
    return true;
  }

  /** A stream that is refused before its first event for such an extension, opened again without. */
  async *streamWithout<T>(
    name: string,
    open: (omitted: ReadonlySet<string>) => AsyncIterable<T>,
  ): AsyncIterable<T> {
    for (;;) {
      let isBegun = false;
      try {
        for await (const event of open(this.of(name))) {
          isBegun = true;
          yield event;
        }
        return;
      } catch (error) {
        if (isBegun || !this.learn(name, error)) throw error;
      }
    }
  }
}
