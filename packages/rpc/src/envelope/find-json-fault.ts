export interface JsonFault {
  /** Zero-based byte offset of the first byte that cannot be; the length of the text when it ends too early. */
  readonly position: number;
  readonly expected: string;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Says where a text stops being JSON. Slow path: only for texts that `JSON.parse` refused, as its own
 * message names no position on every Node version. Source: RFC 8259.
 */
export function findJsonFault(bytes: Uint8Array): JsonFault | undefined {
  const at = skipSpace(bytes, 0);
  const end = scanDocument(bytes, at);
  if (typeof end !== "number") return end;
  const rest = skipSpace(bytes, end);
  return rest < bytes.length ? { position: rest, expected: "the end of the document" } : undefined;
}

/** Iterative, so that no depth of nesting can exhaust the stack. Returns the offset behind the value. */
function scanDocument(bytes: Uint8Array, start: number): number | JsonFault {
  const open: number[] = [];
  let at = start;
  for (;;) {
    const first = bytes[at];
    if (first === 0x7b || first === 0x5b) {
      const inside = skipSpace(bytes, at + 1);
      if (bytes[inside] === first + 2) {
        at = inside + 1;
      } else {
        open.push(first);
        const value = first === 0x7b ? scanName(bytes, inside) : inside;
        if (typeof value !== "number") return value;
        at = value;
        continue;
      }
    } else {
      const end = scanScalar(bytes, at);
      if (typeof end !== "number") return end;
      at = end;
    }
    const next = closeContainers(bytes, at, open);
    if (typeof next !== "number") return next;
    if (open.length === 0) return next;
    at = next;
  }
}

/** Behind a value: takes closing brackets, and stops at the start of the next value or the document's end. */
function closeContainers(bytes: Uint8Array, from: number, open: number[]): number | JsonFault {
  let at = from;
  while (open.length > 0) {
    const container = open[open.length - 1] as number;
    at = skipSpace(bytes, at);
    if (bytes[at] === container + 2) {
      open.pop();
      at++;
    } else if (bytes[at] === 0x2c) {
      at = skipSpace(bytes, at + 1);
      return container === 0x7b ? scanName(bytes, at) : at;
    } else {
      return { position: at, expected: container === 0x7b ? "`,` or `}`" : "`,` or `]`" };
    }
  }
  return at;
}

/** A member's name and its colon. Returns the offset of the member's value. */
function scanName(bytes: Uint8Array, at: number): number | JsonFault {
  if (bytes[at] !== quote) return { position: at, expected: "a member name in double quotes" };
  const end = scanString(bytes, at);
  if (typeof end !== "number") return end;
  const colon = skipSpace(bytes, end);
  return bytes[colon] === 0x3a ? skipSpace(bytes, colon + 1) : { position: colon, expected: "`:`" };
}

function scanScalar(bytes: Uint8Array, at: number): number | JsonFault {
  const first = bytes[at];
  if (first === quote) return scanString(bytes, at);
  if (first === 0x2d || isDigit(first)) return scanNumber(bytes, at);
  for (const word of ["true", "false", "null"]) {
    if (first !== word.charCodeAt(0)) continue;
    for (let i = 1; i < word.length; i++) {
      if (bytes[at + i] !== word.charCodeAt(i)) return { position: at + i, expected: `\`${word}\`` };
    }
    return at + word.length;
  }
  return { position: at, expected: "a value" };
}

function scanString(bytes: Uint8Array, start: number): number | JsonFault {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === quote) return at + 1;
    if (byte < 0x20) return { position: at, expected: "no bare control character in a string" };
    if (byte !== backslash) continue;
    const escaped = bytes[at + 1];
    if (escaped === 0x75) {
      for (let i = 2; i < 6; i++) {
        if (!isHexDigit(bytes[at + i])) return { position: at + i, expected: "four hexadecimal digits" };
      }
      at += 5;
    } else if (escaped !== undefined && '"\\/bfnrt'.includes(String.fromCharCode(escaped))) {
      at++;
    } else {
      return { position: at + 1, expected: "a known escape" };
    }
  }
  return { position: bytes.length, expected: 'a closing `"`' };
}

function scanNumber(bytes: Uint8Array, start: number): number | JsonFault {
  let at = bytes[start] === 0x2d ? start + 1 : start;
  if (!isDigit(bytes[at])) return { position: at, expected: "a digit" };
  at = bytes[at] === 0x30 ? at + 1 : skipDigits(bytes, at);
  if (bytes[at] === 0x2e) {
    if (!isDigit(bytes[at + 1])) return { position: at + 1, expected: "a digit" };
    at = skipDigits(bytes, at + 1);
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at++;
    if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
    if (!isDigit(bytes[at])) return { position: at, expected: "a digit" };
    at = skipDigits(bytes, at);
  }
  return at;
}

function skipDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at++;
  return at;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0a || bytes[at] === 0x0d) at++;
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
