/**
 * What we use of `@opentelemetry/api`, by shape: the application may have any 1.x of it, several copies, or none, so
 * nothing here imports it. An object of the real API fits these types, and ours fit its own.
 */

/** `Context` of OpenTelemetry's API: immutable, by symbol. */
export interface OtelContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): OtelContext;
  deleteValue(key: symbol): OtelContext;
}

export interface OtelContextManager {
  active(): OtelContext;
  with<A extends unknown[], R>(
    context: OtelContext,
    fn: (...args: A) => R,
    thisArgument?: unknown,
    ...args: A
  ): R;
}

export interface OtelBaggageEntry {
  /** Percent-decoded once, and nothing more. */
  readonly value: string;
  /** The properties behind the first `;`, as they stood; the API names them metadata. */
  readonly metadata?: { toString(): string };
}

export interface OtelBaggage {
  getEntry(key: string): OtelBaggageEntry | undefined;
  getAllEntries(): [string, OtelBaggageEntry][];
  setEntry(key: string, entry: OtelBaggageEntry): OtelBaggage;
  removeEntry(key: string): OtelBaggage;
  removeEntries(...keys: string[]): OtelBaggage;
  clear(): OtelBaggage;
}

export interface OtelSpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote?: boolean;
  readonly traceState?: { serialize(): string };
}
