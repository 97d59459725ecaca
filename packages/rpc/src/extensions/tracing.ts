import type { HeaderReader } from "@clew/context";
import { isJsonObject, type JsonObject } from "../envelope/document.ts";
import { firstLine } from "../envelope/metadata.ts";
import { toDuration } from "./durations.ts";
import { defineExtension, type Extension, type Invocation, type OptionFault } from "./extension.ts";
import { tracingUrn } from "./extension-urn.ts";
import { createSpanId, idsOfTraceparent, type TraceIds } from "./trace-ids.ts";

/** The trace that a call belongs to. */
export interface Trace extends TraceIds {
  /** Of this service's part in the call, made anew for each. */
  readonly spanId: string;
  /** Of whoever made the call. */
  readonly parentSpanId: string;
  /** Handed on as it came; the fields of the context are apart from it. */
  readonly baggage: JsonObject | undefined;
}

/** Ids longer than this are refused; W3C's have 32 characters, UUIDs 36. */
const maxIdLength = 256;

/**
 * Source: Forrst specification, extensions/tracing. Runs always: a call that names no trace by the extension may by
 * `X-Forrst-Trace-Id` or `traceparent`, in this order; the body wins.
 */
export const tracingExtension: Extension = defineExtension<void>({
  urn: tracingUrn,
  isAlwaysOn: true,
  validate(options) {
    const faults: OptionFault[] = [];
    checkId(options, "trace_id", faults);
    checkId(options, "span_id", faults);
    if (options["parent_span_id"] !== undefined) checkId(options, "parent_span_id", faults);
    if (options["baggage"] !== undefined && !isJsonObject(options["baggage"]))
      faults.push({ pointer: "/baggage", message: "The tracing extension's `baggage` must be an object" });
    return faults;
  },
  before(invocation) {
    const origin = findTrace(invocation);
    if (origin === undefined) return;
    const baggage = invocation.options["baggage"] as JsonObject | undefined;
    invocation.call.trace = {
      traceId: origin.traceId,
      spanId: createSpanId(),
      parentSpanId: origin.spanId,
      baggage,
    };
  },
  data: ({ call: { trace }, receivedAt }) => trace && traceData(trace, receivedAt),
  // To refuse is an operation too: whoever traces wants to see where it ended.
  refusedData: ({ options, receivedAt }) =>
    traceData({ traceId: options["trace_id"] as string, spanId: createSpanId() }, receivedAt),
});

function traceData({ traceId, spanId }: TraceIds, receivedAt: number): JsonObject {
  return {
    trace_id: traceId,
    span_id: spanId,
    duration: toDuration(performance.now() - receivedAt),
  };
}

function checkId(options: JsonObject, name: string, faults: OptionFault[]): void {
  const id = options[name];
  if (typeof id === "string" && id !== "" && id.length <= maxIdLength) return;
  const message = `The tracing extension's \`${name}\` must be a string of 1 to ${maxIdLength} characters`;
  faults.push({ pointer: `/${name}`, message });
}

function findTrace({ isAsked, options, header, call }: Invocation): TraceIds | undefined {
  if (isAsked) return { traceId: options["trace_id"] as string, spanId: options["span_id"] as string };
  const traceId = readId(header, "x-forrst-trace-id");
  const spanId = readId(header, "x-forrst-span-id");
  if (traceId !== undefined && spanId !== undefined) return { traceId, spanId };
  const { traceparent } = call.context;
  return traceparent === undefined ? undefined : idsOfTraceparent(traceparent);
}

function readId(header: HeaderReader, name: string): string | undefined {
  const id = firstLine(header, name);
  return id !== undefined && id !== "" && id.length <= maxIdLength ? id : undefined;
}
