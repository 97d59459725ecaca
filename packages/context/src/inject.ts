import { type BaggageLimits, baggageLimits, encodeCaller, encodeFieldName, trimBaggage } from "@clew/wire";
import { type Context, RequestContext } from "./context.ts";
import { type FaultHook, publishFault } from "./faults.ts";
import { routeField } from "./field-names.ts";

export interface InjectOptions {
  /** The sending service's own name; goes out as `caller`. */
  readonly service: string;
  /** Default `baggageLimits`. */
  readonly limits?: BaggageLimits | undefined;
  /** Names of the fields that are kept first when a limit is passed, behind the routing key. Default none. */
  readonly important?: readonly string[] | undefined;
  /** Default: publishes on the diagnostics channels of {@link contextChannels}. */
  readonly onFault?: FaultHook | undefined;
}

/**
 * Sets the headers that carry a context. What is absent is not set: whoever sets into headers that may already hold a
 * context takes `contextHeaderNames` out first. Never throws, unless `set` does.
 */
export function injectContext(
  context: Context,
  set: (name: string, value: string) => void,
  options: InjectOptions,
): void {
  const baggage = outgoingBaggage(context, options);
  if (baggage !== "") set("baggage", baggage);
  if (context.traceparent !== undefined) {
    set("traceparent", context.traceparent);
    if (context.tracestate !== undefined) set("tracestate", context.tracestate);
  }
  const caller = encodeOwnName(options.service);
  if (caller !== "") set("x-forrst-caller", caller);
}

/** The custom fields as they may leave: within the limits, the routing key first to be kept, every drop reported. */
function outgoingBaggage(context: Context, options: Omit<InjectOptions, "service">): string {
  const isDefault = options.limits === undefined;
  if (isDefault && context instanceof RequestContext && context.isWithinLimits) return context.baggage;
  const importantKeys = [routeField, ...(options.important ?? []).map(encodeFieldName)];
  const { text, dropped } = trimBaggage(context.baggage, importantKeys, options.limits ?? baggageLimits);
  if (dropped.length > 0) {
    const onFault = options.onFault ?? publishFault;
    onFault("trimmed", dropped.length, nameDropped(dropped));
  } else if (isDefault && context instanceof RequestContext) {
    context.isWithinLimits = true;
  }
  return text;
}

/** Enough to recognise what was lost; a whole header of names would be no report. */
const maxNamesInReport = 8;
/** Names come from outside as well, where nothing bounds them. */
const maxNameCharactersInReport = 64;

function nameDropped(keys: readonly string[]): string {
  return keys
    .slice(0, maxNamesInReport)
    .map((key) => key.slice(0, maxNameCharactersInReport))
    .join(", ");
}

let lastService = "";
let lastCaller = "";

/** A process sends one name nearly always, so the last one is kept. */
function encodeOwnName(service: string): string {
  if (service !== lastService) {
    lastCaller = encodeCaller(service);
    lastService = service;
  }
  return lastCaller;
}
