import { ClewError } from "@clew/errors";

/** Every code that a registry throws. */
export type RegistryErrorCode =
  | "E_REGISTRY_ARGUMENT"
  | "E_REGISTRY_CLOSED"
  | "E_REGISTRY_CORRUPT"
  | "E_REGISTRY_INDETERMINATE"
  | "E_REGISTRY_LEASE_GONE"
  | "E_REGISTRY_LIMIT"
  | "E_REGISTRY_LOCKED"
  | "E_REGISTRY_REFUSED"
  | "E_REGISTRY_STORAGE"
  | "E_REGISTRY_UNREACHABLE";

export interface RegistryErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** May succeed unchanged later. `INDETERMINATE` is not here: the first call may have been carried out. */
const retryable: ReadonlySet<RegistryErrorCode> = new Set(["E_REGISTRY_STORAGE", "E_REGISTRY_UNREACHABLE"]);

export class RegistryError extends ClewError {
  declare readonly code: RegistryErrorCode;

  constructor(code: RegistryErrorCode, message: string, options: RegistryErrorOptions = {}) {
    super(code, message, { ...options, retryable: retryable.has(code) });
  }
}

export function leaseGone(id: string): RegistryError {
  return new RegistryError("E_REGISTRY_LEASE_GONE", `The lease ${id} has ended; nothing was written.`, {
    hint: "Make a new lease and write its keys again.",
  });
}

export function registryClosed(): RegistryError {
  return new RegistryError("E_REGISTRY_CLOSED", "The registry was closed before this call was done.");
}
