import type { JsonValue } from "@clew/context";

const unitMs = { millisecond: 1, second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** `{ "value": 5, "unit": "second" }`, as the specification writes spans of time. */
export interface Duration {
  readonly [member: string]: JsonValue;
  readonly value: number;
  readonly unit: string;
}

/** Fractions of a millisecond are rounded away. */
export function toDuration(ms: number): Duration {
  return { value: Math.round(ms), unit: "millisecond" };
}

/** In milliseconds; undefined for what is no duration: the value must be an integer above 0 that stays one in milliseconds. */
export function readDuration(value: unknown, unit: unknown): number | undefined {
  if (typeof unit !== "string" || !Object.hasOwn(unitMs, unit)) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1) return undefined;
  const ms = value * unitMs[unit as keyof typeof unitMs];
  return Number.isSafeInteger(ms) ? ms : undefined;
}
