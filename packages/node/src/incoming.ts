import type { IncomingHttpHeaders } from "node:http";
import { type Context, contextOfLines, emptyContext } from "./context.ts";
import type { OpenTelemetryWatch } from "./opentelemetry.ts";
import { newTraceparent } from "./traceparent.ts";

/** What all requests that come in to a process have in common. */
export interface Incoming {
  /** The context of one request; `emptyContext` when it came without one. Reports that it did. */
  contextOf(headers: IncomingHttpHeaders): Context;
}

export interface IncomingOptions {
  /** Whether a request that came without a trace begins one (see `RegisterOptions.participate`). */
  readonly participate: boolean;
  readonly onMissing: () => void;
  readonly openTelemetry: OpenTelemetryWatch;
}

export function createIncoming({ participate, onMissing, openTelemetry }: IncomingOptions): Incoming {
  return {
    contextOf({ baggage, traceparent, tracestate, "x-forrst-caller": caller }) {
      openTelemetry.look();
      const context = contextOfLines(baggage, traceparent, tracestate, caller);
      if (context === emptyContext) onMissing();
      if (!participate || context.traceparent !== undefined) return context;
      // One trace for all that the request leads to. What was wrong with the headers has been reported already.
      return contextOfLines(baggage, newTraceparent(), undefined, caller, { onFault: () => {} });
    },
  };
}
