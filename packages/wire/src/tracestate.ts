import { isInClass, isOptionalSpace, lowerHexClass, skipClass, tracestateKeyClass } from "./characters.ts";

/**
 * 32 members and 256 characters each for key and value are the grammar's; 8,192 bytes for the whole is sixteen
 * times what the specification asks for, and half of what Node takes for all headers together.
 */
export const tracestateLimits: {
  readonly maxMembers: number;
  readonly maxBytes: number;
  readonly maxKeyBytes: number;
  readonly maxValueBytes: number;
} = { maxMembers: 32, maxBytes: 8192, maxKeyBytes: 256, maxValueBytes: 256 };

const comma = 0x2c;
const equals = 0x3d;
const space = 0x20;
const tab = 0x09;

/**
 * Number of members, or -1 if any is malformed or a limit is passed: then the whole header is to be left out, for
 * it can only be handed on whole. Source: W3C Trace Context level 2, "tracestate Header Field Values".
 */
export function checkTracestate(text: string): number {
  const end = text.length;
  if (end > tracestateLimits.maxBytes) return -1;
  let members = 0;
  let at = 0;
  while (at < end) {
    const first = text.charCodeAt(at);
    if (first === comma || isOptionalSpace(first)) {
      at++;
      continue;
    }
    at = endOfEntry(text, at);
    if (at < 0 || ++members > tracestateLimits.maxMembers) return -1;
  }
  return members;
}

/** Index of the comma behind the entry at `start`, or of the end; -1 if it is malformed. */
function endOfEntry(text: string, start: number): number {
  let at = start;
  if (!isKeyStart(text.charCodeAt(at))) return -1;
  at = skipClass(text, at, tracestateKeyClass);
  if (at - start > tracestateLimits.maxKeyBytes || at >= text.length || text.charCodeAt(at) !== equals)
    return -1;
  const valueStart = at + 1;
  let valueEnd = valueStart;
  let sawTab = false;
  for (at = valueStart; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x20) {
      if (code === comma) break;
      // A tab may stand around an entry, never inside a value.
      if (code > 0x7e || code === equals || sawTab) return -1;
      valueEnd = at + 1;
    } else if (code === tab) sawTab = true;
    else if (code !== space) return -1;
  }
  const bytes = valueEnd - valueStart;
  return bytes === 0 || bytes > tracestateLimits.maxValueBytes ? -1 : at;
}

/** A lower-case letter or digit: `keychar` without its signs. */
function isKeyStart(code: number): boolean {
  return isInClass(code, lowerHexClass) || (code >= 0x67 && code <= 0x7a);
}
