import type { JsonValue } from "@clew/context";
import { ClewError, isClewError } from "@clew/errors";
import { type ForrstError, type ForrstErrorSource, isJsonObject } from "./envelope/document.ts";
import { errorCodeFacts } from "./error-codes.ts";
import { readDuration, toDuration } from "./extensions/durations.ts";

export interface RpcErrorOptions {
  readonly details?: Readonly<Record<string, JsonValue>> | undefined;
  readonly source?: ForrstErrorSource | undefined;
  /** Default: what the specification's table says of the code; false for codes of one's own. */
  readonly retryable?: boolean | undefined;
  /** HTTP status. Default: the specification's table; 400 for codes of one's own, 503 for those that are retryable. */
  readonly status?: number | undefined;
  /** How long to wait before trying again. */
  readonly retryAfterMs?: number | undefined;
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** All errors of an answer that has several; the first is what the other members describe. */
  readonly errors?: readonly ForrstError[] | undefined;
}

const brand: unique symbol = Symbol.for("clew.rpc-error") as never;

/**
 * An error that crosses the wire: a handler throws it to refuse, a client's call rejects with it.
 * Codes are SCREAMING_SNAKE_CASE; the specification's own are in `error-codes.ts`.
 */
export class RpcError extends ClewError {
  readonly details: Readonly<Record<string, JsonValue>> | undefined;
  readonly source: ForrstErrorSource | undefined;
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  readonly errors: readonly ForrstError[];

  constructor(code: string, message: string, options: RpcErrorOptions = {}) {
    const facts = errorCodeFacts(code);
    const retryable = options.retryable ?? facts.retryable;
    super(code, message, { retryable, hint: options.hint, cause: options.cause });
    this.details = options.details;
    this.source = options.source;
    this.status = options.status ?? (retryable && facts.status === 400 ? 503 : facts.status);
    this.retryAfterMs = options.retryAfterMs;
    this.errors = options.errors ?? [toForrstError(this)];
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for an {@link RpcError} of any copy of this package that the process has loaded. */
export function isRpcError(value: unknown): value is RpcError {
  return isClewError(value) && brand in value;
}

/**
 * The specification's error object has no member for a hint or for whether and when to retry, so they travel inside
 * `details`; `retryable` only where it differs from the table, `retry_after` as in its examples.
 */
function toForrstError(error: Omit<RpcError, "errors">): ForrstError {
  const details: Record<string, JsonValue> = { ...error.details };
  if (error.retryAfterMs !== undefined) details["retry_after"] = toDuration(error.retryAfterMs);
  if (error.hint !== undefined) details["hint"] = error.hint;
  if (error.retryable !== errorCodeFacts(error.code).retryable) details["retryable"] = error.retryable;
  return {
    code: error.code,
    message: error.message,
    ...(error.source === undefined ? undefined : { source: error.source }),
    ...(Object.keys(details).length === 0 ? undefined : { details }),
  };
}

/** The client's view of an answer's errors. `errors` has at least one. */
export function fromForrstErrors(
  errors: readonly [ForrstError, ...ForrstError[]],
  status?: number,
): RpcError {
  const [first] = errors;
  const { hint, retryable, retry_after: retryAfter, ...details } = first.details ?? {};
  const others = errors.length - 1;
  const message = others === 0 ? first.message : `${first.message} (and ${others} more)`;
  return new RpcError(first.code, message, {
    details: Object.keys(details).length === 0 ? undefined : details,
    source: first.source,
    hint: typeof hint === "string" ? hint : undefined,
    retryable: typeof retryable === "boolean" ? retryable : undefined,
    retryAfterMs: isJsonObject(retryAfter)
      ? readDuration(retryAfter["value"], retryAfter["unit"])
      : undefined,
    status,
    errors,
  });
}
