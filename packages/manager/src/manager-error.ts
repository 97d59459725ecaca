import type { JsonValue } from "@clew/context";
import { ClewError, type ClewErrorOptions } from "@clew/errors";

export interface ManagerErrorOptions extends ClewErrorOptions {
  /** Facts for programs, such as whose override is in the way. */
  readonly details?: Readonly<Record<string, JsonValue>> | undefined;
}

/** A refusal of the manager, or a fault in how it was started. `rescue.ts` turns it into an answer. */
export class ManagerError extends ClewError {
  readonly details: Readonly<Record<string, JsonValue>> | undefined;

  constructor(code: string, message: string, options: ManagerErrorOptions = {}) {
    super(code, message, options);
    this.details = options.details;
  }
}

/** `E_LIMIT`: the named limit (see limits.ts) is reached. */
export function limitReached(limit: string, max: number, what: string, hint: string): ManagerError {
  return new ManagerError(
    "E_LIMIT",
    `The manager holds ${max} ${what} already, which is its limit (${limit}).`,
    {
      hint,
      details: { limit, max },
    },
  );
}
