import {
  type BaggageLimits,
  baggageLimits,
  checkBaggage,
  checkTracestate,
  decodeCaller,
  isTraceparent,
  maxCallerBytes,
  repairBaggage,
  tracestateLimits,
} from "@clew/wire";
import type { Carrier } from "./carriers/carrier.ts";
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
 * The context that headers, or any carrier, hold; `emptyContext` itself when they hold none. Never throws, unless the
 * carrier does: a malformed part is left out alone, counted and reported.
 */
export function extractContext(source: HeaderReader | Carrier, options: ExtractOptions = noOptions): Context {
  const header: HeaderReader = typeof source === "function" ? source : (name) => source.get(name);
  const traceparent = header("traceparent");
  const tracestate = traceparent === undefined ? undefined : header("tracestate");
  return contextOfLines(header("baggage"), traceparent, tracestate, header("x-forrst-caller"), options);
}

type Lines = string | readonly string[] | undefined;

/** The same of headers that have been looked up: to ask a function for each costs a server's every request. */
export function contextOfLines(
  baggageLines: Lines,
  traceparentLines: Lines,
  tracestateLines: Lines,
  callerLines: Lines,
  options: ExtractOptions = noOptions,
): Context {
  if (baggageLines === undefined && traceparentLines === undefined && callerLines === undefined) {
    return emptyContext;
  }
  const onFault = options.onFault ?? publishFault;
  const caller = callerLines === undefined ? undefined : readCaller(callerLines, onFault);
  const traceparent = traceparentLines === undefined ? undefined : readTraceparent(traceparentLines, onFault);
  const tracestate = traceparent === undefined ? undefined : readTracestate(tracestateLines, onFault);
  const baggage = readBaggageLines(baggageLines, options.limits ?? baggageLimits, onFault);
  if (baggage === "" && traceparent === undefined && caller === undefined) return emptyContext;
  const isWithinLimits = options.limits === undefined;
  return new RequestContext(baggage, isWithinLimits, traceparent, tracestate, caller);
}

function readBaggageLines(lines: Lines, limits: BaggageLimits, onFault: FaultHook): string {
  if (lines === undefined) return "";
  const text = typeof lines === "string" ? lines : joinLines(lines, limits.maxBytes);
  const members = checkBaggage(text, limits);
  if (members >= 0) return members === 0 ? "" : text;
  const repaired = repairBaggage(text, limits);
  if (repaired.malformed > 0) onFault("malformed", repaired.malformed, "baggage members");
  if (repaired.overlong > 0) onFault("limited", repaired.overlong, "baggage members with a long name");
  if (repaired.truncated) onFault("limited", 1, "baggage past its limits");
  return repaired.text;
}

/** The lines as one header, or as many of them as pass the limit; nobody reads further. */
function joinLines(lines: readonly string[], maxBytes: number): string {
  let text = lines[0] ?? "";
  for (let at = 1; at < lines.length && text.length <= maxBytes; at++) text += `,${lines[at]}`;
  return text;
}

/** Two lines cannot both be right, so they count as none. Source: W3C Trace Context level 2, "A traceparent is Received". */
function readTraceparent(lines: string | readonly string[], onFault: FaultHook): string | undefined {
  const text = onlyLine(lines);
  if (text !== undefined && isTraceparent(text)) return text;
  onFault("malformed", 1, "traceparent");
  return undefined;
}

function readTracestate(lines: Lines, onFault: FaultHook): string | undefined {
  if (lines === undefined) return undefined;
  const text = typeof lines === "string" ? lines : joinLines(lines, tracestateLimits.maxBytes);
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
