import { type Context, emptyContext, extractContext, type HeaderReader } from "./context.ts";
import type { OpenTelemetryWatch } from "./opentelemetry.ts";
import { newTraceparent } from "./traceparent.ts";

/** What all requests that come in to a process have in common. */
export interface Incoming {
  /** The context of one request; `emptyContext` when it came without one. Reports that it did. */
  contextOf(header: HeaderReader): Context;
}

export interface IncomingOptions {
  /** Whether a request that came without a trace begins one (see `RegisterOptions.participate`). */
  readonly participate: boolean;
  readonly onMissing: () => void;
  readonly openTelemetry: OpenTelemetryWatch;
}

export function createIncoming({ participate, onMissing, openTelemetry }: IncomingOptions): Incoming {
  return {
    contextOf(header) {
      openTelemetry.look();
      const context = extractContext(header);
      if (context === emptyContext) onMissing();
      return participate && context.traceparent === undefined ? withNewTrace(header) : context;
    },
  };
}

/** One trace for all that the request leads to. What was wrong with the headers has been reported already. */
function withNewTrace(header: HeaderReader): Context {
  const traceparent = newTraceparent();
  const read: HeaderReader = (name) => {
    if (name === "traceparent") return traceparent;
    return name === "tracestate" ? undefined : header(name);
  };
  return extractContext(read, { onFault: () => {} });
}
