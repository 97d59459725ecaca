import {
  type BaggageLimits,
  baggageLimits,
  checkBaggage,
  encodeCaller,
  encodeFieldName,
  trimBaggage,
} from "@clew/wire";
import type { Carrier } from "./carriers/carrier.ts";
import { type Context, RequestContext } from "./context.ts";
import { type FaultHook, publishFault } from "./faults.ts";
import { contextHeaderNames, routeField, signatureField } from "./field-names.ts";
import { importantFields } from "./fields/declarations.ts";

export interface InjectOptions {
  /** The sending service's own name; goes out as `caller`. */
  readonly service: string;
  /** Default `baggageLimits`. */
  readonly limits?: BaggageLimits | undefined;
  /** Names of the fields that are kept first when a limit is passed, behind the routing key. Default: those declared by `defineFields`. */
  readonly important?: readonly string[] | undefined;
  /** Default: publishes on the diagnostics channels of {@link contextChannels}. */
  readonly onFault?: FaultHook | undefined;
}

/**
 * Writes a context into a carrier, in the place of any that it holds, or hands the headers that carry it to a
 * function. What is absent is not set: such a function's headers must not hold a context already, else take
 * `contextHeaderNames` out first. Never throws, unless `set` or the carrier does.
 */
export function injectContext(
  context: Context,
  target: ((name: string, value: string) => void) | Carrier,
  options: InjectOptions,
): void {
  const set = typeof target === "function" ? target : emptyCarrier(target);
  const baggage = outgoingBaggage(context, options);
  if (baggage !== "") set("baggage", baggage);
  if (context.traceparent !== undefined) {
    set("traceparent", context.traceparent);
    if (context.tracestate !== undefined) set("tracestate", context.tracestate);
  }
  const caller = encodeOwnName(options.service);
  if (caller !== "") set("x-forrst-caller", caller);
}

/** Takes an older context out of a carrier, so that nothing of it stays beside the new one. */
function emptyCarrier(carrier: Carrier): (name: string, value: string) => void {
  for (const name of contextHeaderNames) carrier.delete(name);
  return (name, value) => carrier.set(name, value);
}

/** The custom fields as they may leave, as a `baggage` header, empty without any: within the limits, routing key and signature first to be kept, every drop reported. */
export function outgoingBaggage(context: Context, options: Omit<InjectOptions, "service">): string {
  const isDefault = options.limits === undefined;
  if (isDefault && context instanceof RequestContext && context.isWithinLimits) return context.baggage;
  const limits = options.limits ?? baggageLimits;
  if (checkBaggage(context.baggage, limits) >= 0) {
    if (isDefault && context instanceof RequestContext) context.isWithinLimits = true;
    return context.baggage;
  }
  const important = options.important ?? importantFields();
  const importantKeys = [routeField, signatureField, ...important.map(encodeFieldName)];
  const { text, dropped } = trimBaggage(context.baggage, importantKeys, limits);
  if (dropped.length > 0) {
    const onFault = options.onFault ?? publishFault;
    onFault("trimmed", dropped.length, nameDropped(dropped));
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
