import {
  baggageLimits,
  decodeFieldName,
  decodeFieldValue,
  editBaggage,
  encodeFieldName,
  encodeFieldValue,
  fieldValueText,
  findBaggageValue,
  type JsonValue,
  readBaggage,
} from "@clew/wire";
import { ContextError } from "./errors.ts";
import { routeField } from "./field-names.ts";

/** Fields to change; undefined removes one. */
export type FieldChanges = Readonly<Record<string, JsonValue | undefined>>;

/**
 * The context of one request, immutable. Custom fields are read by `get`, `has`, `text`, `entries` and `size`;
 * `caller` and the trace are not among them.
 */
export interface Context {
  /** Name of the service that sent the request. Never forwarded: each hop sends its own name. */
  readonly caller: string | undefined;
  /** Valid by W3C Trace Context level 2, as it came. */
  readonly traceparent: string | undefined;
  /** Valid, as it came; only where `traceparent` is. */
  readonly tracestate: string | undefined;
  /** Number of custom fields. */
  readonly size: number;
  /** The custom fields as a `baggage` header; the very bytes that came while nothing changed them (I4). */
  readonly baggage: string;
  /** A custom field; a fresh value each time, so changing it changes nothing here. */
  get(name: string): JsonValue | undefined;
  has(name: string): boolean;
  /** A custom field as routing compares it: a string as it is, any other value as its compact JSON text. */
  text(name: string): string | undefined;
  /** Each custom field once, in the order of the header. */
  entries(): IterableIterator<[string, JsonValue]>;
  /**
   * The context with some custom fields changed; itself when nothing changes. The routing key goes first.
   *
   * Throws `ContextError`: `E_CONTEXT_NAME` for a name that is empty, longer than 256 bytes as a baggage key, or
   * `caller`; `E_CONTEXT_VALUE` for a value that JSON cannot hold.
   */
  with(fields: FieldChanges): Context;
}

/** The one Context there is. Its whole state is the text of the header, so nothing is parsed before it is asked for. */
export class RequestContext implements Context {
  readonly caller: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly baggage: string;
  /** Whether `baggage` is known to be within the default limits; injecting it then needs no second look. */
  isWithinLimits: boolean;

  constructor(
    baggage: string,
    isWithinLimits: boolean,
    traceparent: string | undefined,
    tracestate: string | undefined,
    caller: string | undefined,
  ) {
    this.caller = caller;
    this.traceparent = traceparent;
    this.tracestate = tracestate;
    this.baggage = baggage;
    this.isWithinLimits = isWithinLimits;
  }

  get size(): number {
    const keys = new Set<string>();
    for (const { key } of readBaggage(this.baggage)) keys.add(key);
    return keys.size;
  }

  get(name: string): JsonValue | undefined {
    const encoded = this.#find(name);
    return encoded === undefined ? undefined : decodeFieldValue(encoded);
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  text(name: string): string | undefined {
    const encoded = this.#find(name);
    return encoded === undefined ? undefined : fieldValueText(encoded);
  }

  #find(name: string): string | undefined {
    return this.baggage === "" ? undefined : findBaggageValue(this.baggage, encodeFieldName(name));
  }

  *entries(): IterableIterator<[string, JsonValue]> {
    const encoded = new Map<string, string>();
    for (const { key, value } of readBaggage(this.baggage)) encoded.set(key, value);
    for (const [key, value] of encoded) yield [decodeFieldName(key), decodeFieldValue(value)];
  }

  with(fields: FieldChanges): Context {
    const changes = new Map<string, string | undefined>();
    for (const [name, value] of Object.entries(fields)) {
      changes.set(fieldKey(name), value === undefined ? undefined : encodeValue(name, value));
    }
    return withEncodedFields(this, changes);
  }
}

/** A context without fields, caller and trace. */
export const emptyContext: Context = new RequestContext("", true, undefined, undefined, undefined);

/**
 * A context made of parts that are known to be well-formed. Whether they are within the limits is looked at when it is
 * sent.
 */
export function createContext(
  parts: Pick<Context, "baggage" | "traceparent" | "tracestate" | "caller">,
): Context {
  const { baggage, traceparent, tracestate, caller } = parts;
  if (baggage === "" && traceparent === undefined && caller === undefined) return emptyContext;
  return new RequestContext(baggage, false, traceparent, tracestate, caller);
}

/** Changes given as baggage keys and values, which the caller has encoded. */
export function withEncodedFields(
  context: Context,
  changes: ReadonlyMap<string, string | undefined>,
  caller: string | undefined = context.caller,
): Context {
  const baggage = editBaggage(context.baggage, changes, routeField);
  if (baggage === context.baggage && caller === context.caller) return context;
  const isWithinLimits =
    baggage === context.baggage && context instanceof RequestContext && context.isWithinLimits;
  return new RequestContext(baggage, isWithinLimits, context.traceparent, context.tracestate, caller);
}

/** The baggage key of a field that the application names. Throws `E_CONTEXT_NAME` as `Context.with` does. */
export function fieldKey(name: string): string {
  if (name === "caller") {
    throw new ContextError("E_CONTEXT_NAME", '"caller" is no custom field.', {
      hint: "Every sender sets it to its own name; set CLEW_SERVICE to change that name.",
    });
  }
  const key = encodeFieldName(name);
  if (key === "" || key.length > baggageLimits.maxNameBytes) {
    throw new ContextError(
      "E_CONTEXT_NAME",
      `A field name is ${key.length} bytes long as a baggage key; 1 to ${baggageLimits.maxNameBytes} can be sent.`,
      { hint: "Use a shorter name." },
    );
  }
  return key;
}

function encodeValue(name: string, value: JsonValue): string {
  try {
    return encodeFieldValue(value);
  } catch (cause) {
    throw new ContextError("E_CONTEXT_VALUE", `The value of the field "${name}" is not JSON.`, {
      hint: "Fields hold strings, finite numbers, booleans, null, arrays and plain objects.",
      cause,
    });
  }
}
