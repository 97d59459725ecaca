import { isAllInClass, tokenClass, visibleClass } from "./characters.ts";
import { percentDecodeStrict, percentEncode } from "./percent.ts";

/**
 * The baggage key of a field: the name itself if it is a token that reads back as itself, else its UTF-8 bytes
 * percent-encoded. So `decodeFieldName(encodeFieldName(name)) === name` for every well-formed name, and a key
 * that another tool wrote, such as `a%41`, stays what it was. The empty name has no key; it encodes to "".
 */
export function encodeFieldName(name: string): string {
  return encodeIn(name, tokenClass);
}

/** The name that a key stands for: percent-decoded only if encoding the outcome gives the same key back. */
export function decodeFieldName(key: string): string {
  return decodeIn(key, tokenClass);
}

/** Longest `x-forrst-caller` that is believed; a service name becomes a label in logs and metrics. */
export const maxCallerBytes = 256;

/**
 * The value of `x-forrst-caller` for a service name. Visible ASCII goes as it is, everything else (and a `%` that
 * would be misread) percent-encoded by the rule of {@link encodeFieldName}.
 */
export function encodeCaller(service: string): string {
  return encodeIn(service, visibleClass);
}

export function decodeCaller(value: string): string {
  return decodeIn(value, visibleClass);
}

function encodeIn(name: string, literalClass: number): string {
  const isLiteral = isAllInClass(name, literalClass) && !readsAsEscaped(name, literalClass);
  return isLiteral ? name : percentEncode(name, literalClass);
}

function decodeIn(key: string, literalClass: number): string {
  const decoded = percentDecodeStrict(key);
  if (decoded === undefined || decoded === key) return key;
  if (percentEncode(decoded, literalClass) !== key) return key;
  return isAllInClass(decoded, literalClass) && !readsAsEscaped(decoded, literalClass) ? key : decoded;
}

/**
 * Whether a literal name would be percent-decoded on the way in. By its definition that depends on the decoded
 * name, and so on, once for each `25` behind a `%`. All levels share the answer of the last one, so the shortest
 * run of `25` is taken off at once: linear work, however deep somebody nests.
 */
function readsAsEscaped(name: string, literalClass: number): boolean {
  let at = name.indexOf("%");
  if (at < 0) return false;
  let levels = Number.POSITIVE_INFINITY;
  for (; at >= 0; at = name.indexOf("%", at + 1))
    levels = Math.min(levels, countEscapedPercents(name, at + 1));
  const last = levels === 0 ? name : name.replaceAll(`%${"25".repeat(levels)}`, "%");
  const decoded = percentDecodeStrict(last);
  return decoded !== undefined && percentEncode(decoded, literalClass) === last;
}

function countEscapedPercents(name: string, from: number): number {
  let at = from;
  while (name.charCodeAt(at) === 0x32 && name.charCodeAt(at + 1) === 0x35) at += 2;
  return (at - from) / 2;
}
