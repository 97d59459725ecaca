import { checkTracestate, parseTraceparent, tracestateLimits } from "@clew/wire";
import type { Span, SpanContext, TraceState } from "@opentelemetry/api";
import type { Context } from "../context.ts";

/** The span that a context came from, as OpenTelemetry knows such spans: ids and nothing to record. Undefined without trace. */
export function remoteSpanOf({ traceparent, tracestate }: Context): Span | undefined {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
  if (parent === undefined) return undefined;
  return new RemoteSpan({
    traceId: parent.traceId,
    spanId: parent.parentId,
    traceFlags: parent.flags,
    isRemote: true,
    ...(tracestate === undefined ? {} : { traceState: new HandedOnTraceState(tracestate) }),
  });
}

class RemoteSpan implements Span {
  readonly #spanContext: SpanContext;

  constructor(spanContext: SpanContext) {
    this.#spanContext = spanContext;
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  end(): void {}

  recordException(): void {}
}

/** A `tracestate` that goes on as the bytes that came while nobody changes it; the API's own drops one of more than 512. */
class HandedOnTraceState implements TraceState {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get(key: string): string | undefined {
    return this.#entries()
      .find((entry) => entry.startsWith(`${key}=`))
      ?.slice(key.length + 1);
  }

  /** The changed entry goes first. Source: W3C Trace Context level 2, "Mutating the tracestate Field". */
  set(key: string, value: string): TraceState {
    const entries = [`${key}=${value}`, ...this.#entriesWithout(key)];
    const text = entries.slice(0, tracestateLimits.maxMembers).join(",");
    return checkTracestate(text) < 0 ? this : new HandedOnTraceState(text);
  }

  unset(key: string): TraceState {
    return new HandedOnTraceState(this.#entriesWithout(key).join(","));
  }

  serialize(): string {
    return this.#text;
  }

  #entries(): string[] {
    return this.#text
      .split(",")
      .map((entry) => entry.trim())
      .filter((entry) => entry !== "");
  }

  #entriesWithout(key: string): string[] {
    return this.#entries().filter((entry) => !entry.startsWith(`${key}=`));
  }
}
