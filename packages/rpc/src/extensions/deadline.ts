import { RpcError } from "../rpc-error.ts";
import { readDuration, toDuration } from "./durations.ts";
import { defineExtension, type Extension, type Invocation } from "./extension.ts";
import { deadlineUrn } from "./extension-urn.ts";

/** When a call has to be answered. */
export interface CallDeadline {
  /** By `performance.now()`, so that a clock that is set meanwhile changes nothing. */
  readonly endsAt: number;
  /** From now; 0 when it has passed. */
  remainingMs(): number;
}

export interface DeadlineOptions {
  /**
   * By how much the clocks of client and server may differ where a deadline is a point in time: it is taken to be
   * this much later. Relative ones need no clock. Default 1 s: far more than NTP leaves, far less than such deadlines span.
   */
  readonly maxClockSkewMs?: number | undefined;
}

/** What `setTimeout` can wait, about 24.8 days. */
const maxTimerMs = 2_147_483_647;

interface DeadlineState {
  readonly limitMs: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Answers DEADLINE_EXCEEDED when the time is over, whether or not the handler heeds its signal; counts from when the
 * request began to come. Source: Forrst specification, extensions/deadline.
 */
export function createDeadlineExtension({ maxClockSkewMs = 1_000 }: DeadlineOptions = {}): Extension {
  return defineExtension<DeadlineState | undefined>({
    urn: deadlineUrn,
    validate({ value, unit }) {
      if (unit === "iso8601") {
        if (readInstant(value) !== undefined) return [];
        return [
          {
            pointer: "/value",
            message: "The deadline's `value` must be an ISO 8601 date with time and zone",
          },
        ];
      }
      if (readDuration(1, unit) === undefined || unit === "day")
        return [
          {
            pointer: "/unit",
            message: "The deadline's `unit` must be millisecond, second, minute, hour or iso8601",
          },
        ];
      if (readDuration(value, unit) !== undefined) return [];
      return [{ pointer: "/value", message: "The deadline's `value` must be an integer above 0" }];
    },
    before(invocation) {
      const { options, receivedAt, call } = invocation;
      if (!invocation.isAsked) return undefined;
      const instant = options["unit"] === "iso8601" ? readInstant(options["value"]) : undefined;
      const endsAt =
        instant === undefined
          ? receivedAt + (readDuration(options["value"], options["unit"]) as number)
          : performance.now() + instant - Date.now() + maxClockSkewMs;
      const remainingMs = (): number => Math.max(0, endsAt - performance.now());
      call.deadline = { endsAt, remainingMs };
      const expire = (): void => invocation.abort(exceeded(invocation));
      if (remainingMs() === 0) throw exceeded(invocation);
      const timer = setTimeout(expire, Math.min(Math.ceil(remainingMs()), maxTimerMs));
      return { limitMs: Math.max(1, endsAt - receivedAt), timer };
    },
    after(_invocation, _outcome, state) {
      clearTimeout(state?.timer);
    },
    data({ options, receivedAt }, _outcome, state) {
      if (state === undefined) return undefined;
      const elapsedMs = performance.now() - receivedAt;
      return {
        specified: specified(options),
        elapsed: toDuration(elapsedMs),
        remaining: toDuration(Math.max(0, state.limitMs - elapsedMs)),
        utilization: Math.min(1, Math.round((elapsedMs / state.limitMs) * 1_000) / 1_000),
      };
    },
  });
}

function exceeded({ options, receivedAt }: Invocation): RpcError {
  return new RpcError("DEADLINE_EXCEEDED", "Request deadline exceeded", {
    details: { deadline: specified(options), elapsed: toDuration(performance.now() - receivedAt) },
  });
}

function specified({ value, unit }: Invocation["options"]): { value: string | number; unit: string } {
  return { value: value as string | number, unit: unit as string };
}

/** Milliseconds since 1970. A date without zone means another instant in each place, so it is none. */
function readInstant(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/i;
  const instant = pattern.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(instant) ? undefined : instant;
}
