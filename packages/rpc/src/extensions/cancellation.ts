import type { JsonObject } from "../envelope/document.ts";
import { RpcError } from "../rpc-error.ts";
import { defineExtension, type Extension } from "./extension.ts";
import { cancellationUrn } from "./extension-urn.ts";

export interface CancellationOptions {
  /** Calls with a token under way at once; the next is refused as UNAVAILABLE. As many of ended ones are remembered. Default 10,000 (I8). */
  readonly maxTokens?: number | undefined;
  /** How long the token of an ended call is still known as such. Default 5 min, as the specification recommends. */
  readonly rememberMs?: number | undefined;
}

const maxTokenLength = 256;

/**
 * A client that gave its call a token may end it with another call; the handler's signal aborts and CANCELLED is the
 * answer. Who knows the token may cancel, so tokens should be random. A token is known to the process that has the
 * call. Source: Forrst specification, extensions/cancellation.
 */
export function createCancellationExtension(options: CancellationOptions = {}): Extension {
  const { maxTokens = 10_000, rememberMs = 300_000 } = options;
  const tokens = new TokenTable(maxTokens, rememberMs);
  return defineExtension<string | undefined>({
    urn: cancellationUrn,
    validate: ({ token }) => (isToken(token) ? [] : [{ pointer: "/token", message: tokenRule }]),
    before({ isAsked, options: { token }, abort }) {
      if (!isAsked) return undefined;
      const text = token as string;
      tokens.add(text, () => {
        const details = { token: text };
        abort(new RpcError("CANCELLED", "Request was cancelled by client", { details }));
      });
      return text;
    },
    after(_invocation, _outcome, token) {
      if (token !== undefined) tokens.end(token);
    },
    functions: [
      {
        name: `${cancellationUrn}:fn:cancel`,
        version: "1.0.0",
        handler: ({ token }: JsonObject) => {
          if (!isToken(token)) {
            const source = { pointer: "/call/arguments/token" };
            throw new RpcError("INVALID_ARGUMENTS", tokenRule, { source });
          }
          tokens.cancel(token);
          return { cancelled: true, token };
        },
      },
    ],
  });
}

const tokenRule = `\`token\` must be a string of 1 to ${maxTokenLength} characters`;

function isToken(token: unknown): token is string {
  return typeof token === "string" && token !== "" && token.length <= maxTokenLength;
}

class TokenTable {
  readonly #active = new Map<string, () => void>();
  /** Tokens of ended calls, the oldest first, with the end of their time by `performance.now()`. */
  readonly #ended = new Map<string, number>();
  readonly #maxTokens: number;
  readonly #rememberMs: number;

  constructor(maxTokens: number, rememberMs: number) {
    this.#maxTokens = maxTokens;
    this.#rememberMs = rememberMs;
  }

  add(token: string, cancel: () => void): void {
    if (this.#active.has(token)) {
      const source = { pointer: "/extensions" };
      throw new RpcError("CONFLICT", "The cancellation token is in use by another call", { source });
    }
    if (this.#active.size >= this.#maxTokens) {
      throw new RpcError(
        "UNAVAILABLE",
        `${this.#maxTokens} calls that can be cancelled are under way already`,
      );
    }
    this.#ended.delete(token);
    this.#active.set(token, cancel);
  }

  /** The call has ended, however it did. */
  end(token: string): void {
    this.#active.delete(token);
    const now = performance.now();
    for (const [old, forgetAt] of this.#ended) {
      if (forgetAt > now && this.#ended.size < this.#maxTokens) break;
      this.#ended.delete(old);
    }
    this.#ended.set(token, now + this.#rememberMs);
  }

  cancel(token: string): void {
    const cancel = this.#active.get(token);
    if (cancel === undefined) throw this.#missing(token);
    cancel();
  }

  #missing(token: string): RpcError {
    const details = { token };
    return (this.#ended.get(token) ?? 0) > performance.now()
      ? new RpcError("CANCELLATION_TOO_LATE", "Request has already completed", { details })
      : new RpcError("CANCELLATION_TOKEN_UNKNOWN", "Cancellation token not found or expired", { details });
  }
}
