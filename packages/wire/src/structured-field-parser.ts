import {
  maxStructuredInteger,
  type StructuredItem,
  StructuredToken,
  type StructuredValue,
} from "./structured-field.ts";

/**
 * Reads what `formatStructuredItem` writes; undefined for anything else, decimals, dates, byte sequences and
 * inner lists included.
 */
export function parseStructuredItem(text: string): StructuredItem | undefined {
  const reader = new Reader(text);
  reader.skip(/ */y);
  const item = readItem(reader);
  reader.skip(/ */y);
  return reader.isAtEnd ? item : undefined;
}

/** Reads what `formatStructuredDictionary` writes. A key that stands twice keeps its last value (RFC 9651 §4.2.2). */
export function parseStructuredDictionary(text: string): ReadonlyMap<string, StructuredItem> | undefined {
  const reader = new Reader(text.trim());
  const members = new Map<string, StructuredItem>();
  while (!reader.isAtEnd) {
    const key = reader.take(keyPattern);
    const item = key === undefined ? undefined : readMember(reader);
    if (key === undefined || item === undefined) return undefined;
    members.set(key, item);
    reader.skip(/[ \t]*/y);
    if (reader.isAtEnd) break;
    if (reader.take(/,[ \t]*/y) === undefined || reader.isAtEnd) return undefined;
  }
  return members;
}

const keyPattern = /[a-z*][a-z0-9_\-.*]*/y;
const tokenPattern = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const integerPattern = /-?[0-9]{1,15}(?![0-9.])/y;
const stringPattern = /"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y;
const displayStringPattern = /%"(?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*"/y;
const booleanPattern = /\?[01]/y;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** What the sticky pattern matches here, and steps over it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  skip(pattern: RegExp): void {
    this.take(pattern);
  }
}

function readMember(reader: Reader): StructuredItem | undefined {
  return reader.take(/=/y) === undefined ? withParameters(reader, true) : readItem(reader);
}

function readItem(reader: Reader): StructuredItem | undefined {
  const value = readValue(reader);
  return value === undefined ? undefined : withParameters(reader, value);
}

function withParameters(reader: Reader, value: StructuredValue): StructuredItem | undefined {
  const parameters: [string, StructuredValue][] = [];
  while (reader.take(/; */y) !== undefined) {
    const key = reader.take(keyPattern);
    if (key === undefined) return undefined;
    const parameter = reader.take(/=/y) === undefined ? true : readValue(reader);
    if (parameter === undefined) return undefined;
    parameters.push([key, parameter]);
  }
  return parameters.length === 0 ? { value } : { value, parameters: Object.fromEntries(parameters) };
}

function readValue(reader: Reader): StructuredValue | undefined {
  const integer = reader.take(integerPattern);
  if (integer !== undefined) return toInteger(integer);
  const boolean = reader.take(booleanPattern);
  if (boolean !== undefined) return boolean === "?1";
  const string = reader.take(stringPattern);
  if (string !== undefined) return string.slice(1, -1).replace(/\\(.)/g, "$1");
  const display = reader.take(displayStringPattern);
  if (display !== undefined) return toDisplayString(display);
  const token = reader.take(tokenPattern);
  return token === undefined ? undefined : new StructuredToken(token);
}

function toInteger(text: string): number | undefined {
  const value = Number(text);
  return Math.abs(value) <= maxStructuredInteger ? (value === 0 ? 0 : value) : undefined;
}

function toDisplayString(text: string): string | undefined {
  try {
    return decodeURIComponent(text.slice(2, -1));
  } catch {
    // Escapes that are not UTF-8 make the field malformed. Source: RFC 9651 §4.2.10.
    return undefined;
  }
}
