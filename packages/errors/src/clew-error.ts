const brand: unique symbol = Symbol.for("clew.error") as never;

export interface ClewErrorOptions {
  /** Whether the same call may succeed later, unchanged. Default false: a fault is final until known otherwise. */
  readonly retryable?: boolean | undefined;
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Base of every error that Clew throws. `code` is stable (`E_…`), never reused,
 * and listed in docs/reference/errors.md; the message says what was wrong and where.
 */
export class ClewError extends Error {
  readonly code: string;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: ClewErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.hint = options.hint;
    Object.defineProperty(this, brand, { value: true });
  }
}

/** True for a {@link ClewError} of any copy of this package that the process has loaded. */
export function isClewError(value: unknown): value is ClewError {
  return typeof value === "object" && value !== null && brand in value;
}
