import type { JsonObject } from "../envelope/document.ts";
import type { RpcError } from "../rpc-error.ts";
import { defineExtension, type Extension } from "./extension.ts";
import { retryUrn } from "./extension-urn.ts";

interface Guidance {
  readonly strategy: "immediate" | "fixed" | "exponential";
  readonly afterMs: number;
  readonly maxAttempts: number;
}

/** Source: Forrst specification, extensions/retry "Automatic Retry Guidance". */
const guidance: Readonly<Record<string, Guidance>> = {
  __proto__: null as never,
  RATE_LIMITED: { strategy: "fixed", afterMs: 60_000, maxAttempts: 3 },
  UNAVAILABLE: { strategy: "exponential", afterMs: 1_000, maxAttempts: 5 },
  DEADLINE_EXCEEDED: { strategy: "immediate", afterMs: 0, maxAttempts: 1 },
  INTERNAL_ERROR: { strategy: "exponential", afterMs: 1_000, maxAttempts: 3 },
  DEPENDENCY_ERROR: { strategy: "exponential", afterMs: 2_000, maxAttempts: 3 },
  IDEMPOTENCY_PROCESSING: { strategy: "fixed", afterMs: 1_000, maxAttempts: 3 },
  SERVER_MAINTENANCE: { strategy: "fixed", afterMs: 60_000, maxAttempts: 1 },
  FUNCTION_MAINTENANCE: { strategy: "fixed", afterMs: 60_000, maxAttempts: 1 },
  FUNCTION_DISABLED: { strategy: "fixed", afterMs: 30_000, maxAttempts: 2 },
};

/** For codes of one's own that are retryable: as for a failure that nothing more is known of. */
const otherGuidance: Guidance = { strategy: "exponential", afterMs: 1_000, maxAttempts: 3 };

/**
 * Says with each failure whether and when to try again: unasked where a retry may help, and whatever it is to whoever
 * names the extension. An error's own `retryAfterMs` goes before the table. Not among the default extensions: it adds
 * a hundred bytes to errors, and this package's client knows the table. Source: Forrst specification, extensions/retry.
 */
export function createRetryExtension(): Extension {
  return defineExtension<void>({
    urn: retryUrn,
    isAlwaysOn: true,
    answersUnasked: true,
    data: ({ isAsked }, outcome) => (outcome.ok ? undefined : retryData(outcome.error, isAsked)),
    refusedData: ({ error, isAsked }) => retryData(error, isAsked),
  });
}

function retryData(error: RpcError, isAsked: boolean): JsonObject | undefined {
  if (!error.retryable) return isAsked ? { allowed: false } : undefined;
  const { strategy, afterMs, maxAttempts } = guidance[error.code] ?? otherGuidance;
  const waitMs = error.retryAfterMs ?? afterMs;
  return {
    allowed: true,
    // What is to be waited for is not "immediate", whatever the table says.
    strategy: strategy === "immediate" && waitMs > 0 ? "fixed" : strategy,
    ...(waitMs === 0 ? undefined : { after: afterOf(waitMs) }),
    max_attempts: maxAttempts,
  };
}

/** The page knows only seconds and minutes here, so a part of a second is a whole one. */
function afterOf(ms: number): JsonObject {
  return { value: Math.ceil(ms / 1_000), unit: "second" };
}
