import type { JsonValue } from "@clew/context";
import type { ForrstError } from "../../envelope/document.ts";
import { fromForrstErrors } from "../../rpc-error.ts";
import type { CallOutcome } from "../extension.ts";

/**
 * Whether the same call would end the same way, or may have had effects. Only a handler that refuses with a retryable
 * error says that nothing was done; an unexpected error says nothing, so it counts as done.
 */
export function isFinal(outcome: CallOutcome): boolean {
  return outcome.ok || !outcome.error.retryable || outcome.error.code === "INTERNAL_ERROR";
}

type Stored =
  | { readonly result: JsonValue }
  | { readonly errors: [ForrstError, ...ForrstError[]]; readonly status: number };

export function writeOutcome(outcome: CallOutcome): string {
  if (outcome.ok) return JSON.stringify({ result: outcome.result ?? null });
  // Repeating it brings the same error again, so it is no more worth a retry.
  const errors = outcome.error.errors.map((error) => ({
    ...error,
    ...(outcome.error.retryable ? { details: { ...error.details, retryable: false } } : undefined),
  }));
  return JSON.stringify({ errors, status: outcome.error.status });
}

export function readOutcome(text: string): CallOutcome {
  const stored = JSON.parse(text) as Stored;
  if ("result" in stored) return { ok: true, result: stored.result };
  return { ok: false, error: fromForrstErrors(stored.errors, stored.status) };
}
