import { characterClasses, lowerHexClass } from "./characters.ts";

export interface TraceParent {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all zero. */
  readonly parentId: string;
  /** The whole byte as it came, unknown bits included. */
  readonly flags: number;
}

/** The caller may have recorded this request. */
export const sampledFlag = 0x01;
/** The right-most seven bytes of the trace id are random. Source: W3C Trace Context level 2, random-trace-id flag. */
export const randomFlag = 0x02;

const versionLength = 2;
const knownLength = 55;
const dash = 0x2d;
const zero = 0x30;

/**
 * Whether a `traceparent` may be believed. Version 00 is exactly 55 characters; a later one may go on behind a `-`;
 * `ff` is forbidden. Source: W3C Trace Context level 2, "traceparent Header Field Values" and "Versioning".
 */
export function isTraceparent(text: string): boolean {
  const length = text.length;
  if (length < knownLength) return false;
  if (text.charCodeAt(2) !== dash || text.charCodeAt(35) !== dash || text.charCodeAt(52) !== dash)
    return false;
  if (!isHex(text, 0, versionLength) || !isHex(text, 53, knownLength)) return false;
  if (!isId(text, 3, 35) || !isId(text, 36, 52)) return false;
  if (text.charCodeAt(0) === 0x66 && text.charCodeAt(1) === 0x66) return false;
  if (length === knownLength) return true;
  const isVersionZero = text.charCodeAt(0) === zero && text.charCodeAt(1) === zero;
  return !isVersionZero && text.charCodeAt(knownLength) === dash && isVisible(text, knownLength);
}

function isHex(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || ((characterClasses[code] ?? 0) & lowerHexClass) === 0) return false;
  }
  return true;
}

function isId(text: string, from: number, to: number): boolean {
  let bits = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || ((characterClasses[code] ?? 0) & lowerHexClass) === 0) return false;
    bits |= code ^ zero;
  }
  return bits !== 0;
}

/** What a later version appends is handed on, so it must at least be fit for a header. */
function isVisible(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x21 || code > 0x7e) return false;
  }
  return text.length <= maxTraceparentBytes;
}

/** Room for later versions; version 00 needs 55. */
export const maxTraceparentBytes = 512;

/** The parts of a valid `traceparent` of any version, else undefined. */
export function parseTraceparent(text: string): TraceParent | undefined {
  if (!isTraceparent(text)) return undefined;
  return {
    traceId: text.slice(3, 35),
    parentId: text.slice(36, 52),
    flags: Number.parseInt(text.slice(53, knownLength), 16),
  };
}

/** Writes version 00: of the flags only those that it defines, all others must be zero. */
export function formatTraceparent(parent: TraceParent): string {
  return `00-${parent.traceId}-${parent.parentId}-0${parent.flags & (sampledFlag | randomFlag)}`;
}
