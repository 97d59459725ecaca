import { baggageOctetClass } from "./characters.ts";
import { percentDecode, percentEncode } from "./percent.ts";

/**
 * A baggage value as other tools know it: text and nothing else, the prefix of a typed value (`json:`) being part of
 * it. For interchange with their APIs; fields are read by `decodeFieldValue`.
 */
export function decodeBaggageText(encoded: string): string {
  return percentDecode(encoded);
}

/** The inverse of {@link decodeBaggageText}. */
export function encodeBaggageText(text: string): string {
  return percentEncode(text, baggageOctetClass);
}
