import {
  type BaggageLimits,
  baggageLimits,
  checkBaggage,
  checkTracestate,
  decodeCaller,
  isTraceparent,
  maxCallerBytes,
  repairBaggage,
} from "@clew/wire";
import { type Context, emptyContext, RequestContext } from "./context.ts";
import { type FaultHook, publishFault } from "./faults.ts";

/** Returns all lines of a header: one string, several, or undefined. Names are asked for in lower case. */
export type HeaderReader = (lowerCaseName: string) => string | readonly string[] | undefined;

export interface ExtractOptions {
  /** Default `baggageLimits`. */
  readonly limits?: BaggageLimits | undefined;
  /** Default: publishes on the diagnostics channels of {@link contextChannels}. */
  readonly onFault?: FaultHook | undefined;
}

const noOptions: ExtractOptions = {};

/**
 * The context that headers carry; `emptyContext` itself when they carry none. Never throws: a malformed part is left
 * out alone, counted and reported.
 */
export function extractContext(header: HeaderReader, options: ExtractOptions = noOptions): Context {
  const baggageLines = header("baggage");
  const traceparentLines = header("traceparent");
  const callerLines = header("x-forrst-caller");
  if (baggageLines === undefined && traceparentLines === undefined && callerLines === undefined) {
    return emptyContext;
  }
  const onFault = options.onFault ?? publishFault;
  const caller = callerLines === undefined ? undefined : readCaller(callerLines, onFault);
  const traceparent = traceparentLines === undefined ? undefined : readTraceparent(traceparentLines, onFault);
  const tracestate = traceparent === undefined ? undefined : readTracestate(header("tracestate"), onFault);
  const baggage = readBaggageLines(baggageLines, options.limits ?? baggageLimits, onFault);
  if (baggage === "" && traceparent === undefined && caller === undefined) return emptyContext;
  const isWithinLimits = options.limits === undefined;
  return new RequestContext(baggage, isWithinLimits, traceparent, tracestate, caller);
}

function readBaggageLines(
  lines: string | readonly string[] | undefined,
  limits: BaggageLimits,
  onFault: FaultHook,
): string {
  if (lines === undefined) return "";
  const text = typeof lines === "string" ? lines : lines.join(",");
  const members = checkBaggage(text, limits);
  if (members >= 0) return members === 0 ? "" : text;
  const repaired = repairBaggage(text, limits);
  if (repaired.malformed > 0) onFault("malformed", repaired.malformed, "baggage members");
  if (repaired.overlong > 0) onFault("limited", repaired.overlong, "baggage members with a long name");
  if (repaired.truncated) onFault("limited", 1, "baggage past its limits");
  return repaired.text;
}

/** Two lines cannot both be right, so they count as none. Source: W3C Trace Context level 2, "A traceparent is Received". */
function readTraceparent(lines: string | readonly string[], onFault: FaultHook): string | undefined {
  const text = onlyLine(lines);
  if (text !== undefined && isTraceparent(text)) return text;
  onFault("malformed", 1, "traceparent");
  return undefined;
}

function readTracestate(
  lines: string | readonly string[] | undefined,
  onFault: FaultHook,
): string | undefined {
  if (lines === undefined) return undefined;
  const text = typeof lines === "string" ? lines : lines.join(",");
  const members = checkTracestate(text);
  if (members < 0) onFault("malformed", 1, "tracestate");
  return members > 0 ? text : undefined;
}

function readCaller(lines: string | readonly string[], onFault: FaultHook): string | undefined {
  const text = onlyLine(lines);
  if (text !== undefined && text !== "" && text.length <= maxCallerBytes) return decodeCaller(text);
  onFault("malformed", 1, "x-forrst-caller");
  return undefined;
}

function onlyLine(lines: string | readonly string[]): string | undefined {
  if (typeof lines === "string") return lines;
  return lines.length === 1 ? lines[0] : undefined;
}
