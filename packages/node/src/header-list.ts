import { contextHeaderNames } from "./context.ts";

/** Headers as clients take them: names and values in turn, or an object. */
export type HeaderList = unknown[] | Record<string, unknown>;

export type HeaderField = readonly [name: string, value: string];

/** The headers of a request that hold a context, as the application has set them: undefined where it has not. */
export interface ContextHeaders {
  readonly baggage: unknown;
  readonly traceparent: unknown;
  readonly tracestate: unknown;
  readonly "x-forrst-caller": unknown;
}

/** The headers to set for a context; undefined for one that is not to be set. */
export interface OutgoingHeaders {
  readonly baggage: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly "x-forrst-caller": string | undefined;
}

/** Of nearly every request: itself, so that a look at it says that nothing is set. */
export const noContextHeaders: ContextHeaders = {
  baggage: undefined,
  traceparent: undefined,
  tracestate: undefined,
  "x-forrst-caller": undefined,
};

/** The headers that hold a context by the length of their names, which no two share and few others have. */
const nameOfLength: (keyof ContextHeaders | undefined)[] = [];
for (const name of contextHeaderNames) nameOfLength[name.length] = name;

/** Those that are to be set, as a list. */
export function outgoingFields(headers: OutgoingHeaders): HeaderField[] {
  const fields: HeaderField[] = [];
  if (headers.baggage !== undefined) fields.push(["baggage", headers.baggage]);
  if (headers.traceparent !== undefined) fields.push(["traceparent", headers.traceparent]);
  if (headers.tracestate !== undefined) fields.push(["tracestate", headers.tracestate]);
  const caller = headers["x-forrst-caller"];
  if (caller !== undefined) fields.push(["x-forrst-caller", caller]);
  return fields;
}

/** Puts those that are to be set at the end of names and values in turn; for a request that has none of its own. */
export function appendContext(list: unknown[], headers: OutgoingHeaders): void {
  const { baggage, traceparent, tracestate, "x-forrst-caller": caller } = headers;
  if (baggage !== undefined) list.push("baggage", baggage);
  if (traceparent !== undefined) list.push("traceparent", traceparent);
  if (tracestate !== undefined) list.push("tracestate", tracestate);
  if (caller !== undefined) list.push("x-forrst-caller", caller);
}

/** Those that are to be set, each a line of a head; for a request that has none of its own. */
export function outgoingLines(headers: OutgoingHeaders): string {
  let lines = "";
  if (headers.baggage !== undefined) lines = `baggage: ${headers.baggage}\r\n`;
  if (headers.traceparent !== undefined) lines += `traceparent: ${headers.traceparent}\r\n`;
  if (headers.tracestate !== undefined) lines += `tracestate: ${headers.tracestate}\r\n`;
  const caller = headers["x-forrst-caller"];
  return caller === undefined ? lines : `${lines}x-forrst-caller: ${caller}\r\n`;
}

/** Those of a list that hold a context, in one look through it; the first of a name counts. */
export function contextHeadersIn(headers: HeaderList): ContextHeaders {
  let found = noContextHeaders;
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      found = plusHeader(found, String(headers[index]), headers[index + 1]);
    }
  } else for (const name in headers) found = plusHeader(found, name, headers[name]);
  return found;
}

function plusHeader(found: ContextHeaders, name: string, value: unknown): ContextHeaders {
  const candidate = nameOfLength[name.length];
  if (candidate === undefined || found[candidate] !== undefined) return found;
  return name.toLowerCase() === candidate ? { ...found, [candidate]: value } : found;
}

/** Pairs as names and values in turn; undefined when not all of them are pairs. */
export function flatPairs(pairs: Iterable<unknown>): unknown[] | undefined {
  const flat: unknown[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    flat.push(...pair);
  }
  return flat;
}

/** The value of the first header of that name, in whatever case it is written. */
export function headerValue(headers: HeaderList, lowerCaseName: string): unknown {
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (isNamed(headers[index], lowerCaseName)) return headers[index + 1];
    }
    return undefined;
  }
  for (const name in headers) if (isNamed(name, lowerCaseName)) return headers[name];
  return undefined;
}

/** A copy in which these fields are set, each in the place of what had its name. */
export function withFields(headers: HeaderList, fields: readonly HeaderField[]): HeaderList {
  const names = fields.map(([name]) => name);
  return plusFields(withoutNames(headers, names), fields);
}

/** A copy with the headers of a context, of which it has none yet. */
export function plusContext(headers: HeaderList, context: OutgoingHeaders): HeaderList {
  if (Array.isArray(headers)) {
    const list = [...headers];
    appendContext(list, context);
    return list;
  }
  const { baggage, traceparent, tracestate, "x-forrst-caller": caller } = context;
  // Not `{ ...headers }`: what is added to that costs Node 20 ten times as much as the copy.
  const copy: Record<string, unknown> = Object.assign({}, headers);
  if (baggage !== undefined) copy["baggage"] = baggage;
  if (traceparent !== undefined) copy["traceparent"] = traceparent;
  if (tracestate !== undefined) copy["tracestate"] = tracestate;
  if (caller !== undefined) copy["x-forrst-caller"] = caller;
  return copy;
}

/** A copy with fields that it has none of yet. */
export function plusFields(headers: HeaderList, fields: readonly HeaderField[]): HeaderList {
  if (Array.isArray(headers)) return [...headers, ...fields.flat()];
  // Not `{ ...headers }`: what is added to that costs Node 20 ten times as much as the copy.
  const copy: Record<string, unknown> = Object.assign({}, headers);
  for (const [name, value] of fields) copy[name] = value;
  return copy;
}

/** A copy without the headers of these names (lower case). */
export function withoutNames(headers: HeaderList, lowerCaseNames: readonly string[]): HeaderList {
  const isKept = (name: unknown): boolean => !lowerCaseNames.some((other) => isNamed(name, other));
  if (Array.isArray(headers)) return headers.filter((_, index) => isKept(headers[index - (index % 2)]));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isKept(name)));
}

function isNamed(name: unknown, lowerCaseName: string): boolean {
  const text = String(name);
  return text.length === lowerCaseName.length && text.toLowerCase() === lowerCaseName;
}
