/**
 * One byte per ASCII character, one bit per class, so that a scan asks one array and branches once.
 * Everything above 0x7e belongs to no class.
 */
export const characterClasses: Uint8Array = new Uint8Array(128);

/** `tchar`. Source: RFC 9110 §5.6.2. */
export const tokenClass = 1;
/** `baggage-octet`, `%` included. Source: W3C Baggage §3.2.1. */
export const baggageOctetClass = 2;
/** Lower-case hexadecimal digit. */
export const lowerHexClass = 4;
/** `keychar` of a tracestate key. Source: W3C Trace Context level 2, tracestate key. */
export const tracestateKeyClass = 8;
/** Visible ASCII, without space. Source: RFC 5234 `VCHAR`. */
export const visibleClass = 16;

for (let code = 0x21; code <= 0x7e; code++) {
  const character = String.fromCharCode(code);
  const isDigit = code >= 0x30 && code <= 0x39;
  const isLower = code >= 0x61 && code <= 0x7a;
  const isUpper = code >= 0x41 && code <= 0x5a;
  let classes = visibleClass;
  if (isDigit || isLower || isUpper || "!#$%&'*+-.^_`|~".includes(character)) classes |= tokenClass;
  if (!'",;\\'.includes(character)) classes |= baggageOctetClass;
  if (isDigit || (isLower && code <= 0x66)) classes |= lowerHexClass;
  if (isDigit || isLower || "_-*/@".includes(character)) classes |= tracestateKeyClass;
  characterClasses[code] = classes;
}

export function isInClass(code: number, characterClass: number): boolean {
  return code < 128 && ((characterClasses[code] ?? 0) & characterClass) !== 0;
}

/** True if every character is of the class; true for the empty text. */
export function isAllInClass(text: string, characterClass: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isInClass(text.charCodeAt(i), characterClass)) return false;
  }
  return true;
}

/** Index of the first character at or behind `from` that is not of the class. The inner loop of every scan. */
export function skipClass(text: string, from: number, characterClass: number): number {
  const end = text.length;
  let at = from;
  while (at < end) {
    const code = text.charCodeAt(at);
    if (code >= 128 || ((characterClasses[code] ?? 0) & characterClass) === 0) break;
    at++;
  }
  return at;
}

/** Optional white space: space or tab. Source: RFC 9110 §5.6.3. */
export function isOptionalSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
