import { channel } from "node:diagnostics_channel";
import { type ContextFaultEvent, contextChannels, createReportCounter } from "./context.ts";

const missing = channel(contextChannels.missing);

/**
 * Returns what a server calls for each request that came without a context. Reports by channel and, where `warn` is
 * set, by a process warning; the first at once, then once per interval, as a health check alone would else warn all day.
 */
export function createMissingReporter(warn: boolean, now?: () => number): () => void {
  const count = createReportCounter((counted) => report(counted.count, warn), { now });
  return () => count();
}

function report(count: number, warn: boolean): void {
  const requests = count === 1 ? "1 request" : `${count} requests`;
  const what = `${requests} came without a context (no baggage, traceparent or x-forrst-caller header)`;
  missing.publish({ count, what } satisfies ContextFaultEvent);
  if (!warn) return;
  process.emitWarning(`${what}; served as usual. CLEW_WARN_MISSING=0 ends this warning.`, {
    type: "ClewWarning",
    code: "CLEW_CONTEXT_MISSING",
  });
}
