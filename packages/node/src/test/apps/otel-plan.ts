import type { JsonValue } from "@clew/context";

/** What the OpenTelemetry application is to do with one request. */
export interface OtelPlan {
  readonly calls?: readonly OtelCall[];
}

export interface OtelCall {
  readonly via: "http" | "fetch";
  readonly url: string;
  /** Handed on to whom it calls. */
  readonly plan?: unknown;
  /** Fields that it sets for this call by Clew's API. */
  readonly fields?: Readonly<Record<string, JsonValue>>;
  /** Entries that it sets for this call by OpenTelemetry's, within the former. */
  readonly entries?: Readonly<Record<string, string>>;
  /** Headers that the application sets itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What either API shows at one place. */
export interface Seen {
  /** Undefined where there is no Clew. */
  readonly clew: Readonly<Record<string, JsonValue>> | undefined;
  readonly caller: string | undefined;
  readonly traceparent: string | undefined;
  readonly openTelemetry: Readonly<Record<string, string>>;
  readonly spanId: string | undefined;
  readonly traceId: string | undefined;
}

/** What the application saw of one request. */
export interface OtelHop {
  /** Values of the headers that came, one for each line. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly seen: Seen;
  /** For each call what was seen when it was made. */
  readonly seenAtCalls: readonly Seen[];
  /** Ids of the client spans that were started by now. */
  readonly clientSpans: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: what the services behind answer is known to the test.
  readonly hops: readonly any[];
}
