import { context as ambient, type JsonValue } from "@clew/context";
import type { RequestExtension } from "../envelope/document.ts";
import { deadlineUrn, tracingUrn } from "../extensions/extension-urn.ts";
import { createSpanId, createTraceId, idsOfTraceparent } from "../extensions/trace-ids.ts";
import { currentCall } from "../server/call-context.ts";

/**
 * `continue`: calls made for a traced request belong to its trace. `start`: others begin one of their own, too.
 * `off`: no call names a trace by the extension; `traceparent` is handed on as ever.
 */
export type ClientTracing = "continue" | "start" | "off";

/**
 * The trace that a call made here belongs to, with a span of its own.
 * Source: Forrst specification, extensions/tracing "Behavior".
 */
export function tracingOf(mode: ClientTracing): RequestExtension | undefined {
  if (mode === "off") return undefined;
  const options = parentTrace() ?? (mode === "start" ? { trace_id: createTraceId() } : undefined);
  return options && { urn: tracingUrn, options: { ...options, span_id: createSpanId() } };
}

function parentTrace(): Record<string, JsonValue> | undefined {
  const trace = currentCall()?.trace;
  if (trace !== undefined) {
    const { traceId, spanId, baggage } = trace;
    const common = { trace_id: traceId, parent_span_id: spanId };
    return baggage === undefined ? common : { ...common, baggage };
  }
  const traceparent = ambient.current()?.traceparent;
  if (traceparent === undefined) return undefined;
  const { traceId, spanId } = idsOfTraceparent(traceparent);
  return { trace_id: traceId, parent_span_id: spanId };
}

/** Whole milliseconds, at least one: 0 would be no deadline. */
export function deadlineOf(remainingMs: number): RequestExtension {
  return { urn: deadlineUrn, options: { value: Math.max(1, Math.floor(remainingMs)), unit: "millisecond" } };
}
