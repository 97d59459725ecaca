import { isTraceparent } from "@clew/wire";
import type { Carrier } from "./carrier.ts";

const callerName = "x-forrst-caller";

/**
 * A message that holds a Forrst request: beside the usual names it carries Forrst's own, `caller`, `trace_id` and
 * `span_id`. On the way in they count only where the usual ones are absent, and trace ids that are not those of W3C
 * Trace Context (Forrst allows any text) stay in Forrst's tracing extension alone.
 */
export function forrstCarrier(message: Carrier): Carrier {
  return {
    get(name) {
      const found = message.get(name);
      if (found !== undefined) return found;
      if (name === callerName) return message.get("caller");
      return name === "traceparent" ? traceparentOf(message) : undefined;
    },
    set(name, value) {
      message.set(name, value);
      if (name === callerName) message.set("caller", value);
      if (name !== "traceparent") return;
      message.set("trace_id", value.slice(3, 35));
      message.set("span_id", value.slice(36, 52));
    },
    delete(name) {
      message.delete(name);
      for (const own of ownNames[name] ?? []) message.delete(own);
    },
  };
}

const ownNames: Readonly<Record<string, readonly string[]>> = {
  [callerName]: ["caller"],
  traceparent: ["trace_id", "span_id"],
};

/** Whether the caller records the trace is unknown, so it does not claim to. */
function traceparentOf(message: Carrier): string | undefined {
  const traceparent = `00-${message.get("trace_id")}-${message.get("span_id")}-00`;
  return isTraceparent(traceparent) ? traceparent : undefined;
}
