import type { JsonValue } from "@clew/context";

/** What a test service is to do with one request, besides answering it: the calls to make, in turn. */
export interface Plan {
  readonly calls?: readonly Call[];
}

export interface Call {
  readonly via: "http" | "fetch";
  readonly url: string;
  readonly plan?: Plan;
  /** Fields that the service changes for this call. */
  readonly fields?: Readonly<Record<string, JsonValue>>;
}

/** What a test service saw of one request, and what those that it called saw. */
export interface Hop {
  readonly service: string;
  readonly caller: string | undefined;
  readonly traceparent: string | undefined;
  readonly fields: Readonly<Record<string, JsonValue>>;
  /** The values of `baggage` as they came, one per header line. */
  readonly baggage: readonly string[];
  readonly hops: readonly Hop[];
}
