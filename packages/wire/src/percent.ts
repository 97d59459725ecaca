import { isInClass } from "./characters.ts";

const percent = 0x25;
const escapes: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
);

/**
 * Percent-encodes the UTF-8 bytes of everything but the literal class; `%` is always encoded, hexadecimal
 * digits are upper case. A lone surrogate has no UTF-8 form and becomes U+FFFD.
 */
export function percentEncode(text: string, literalClass: number): string {
  let out = "";
  let runStart = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== percent && isInClass(code, literalClass)) continue;
    out += text.slice(runStart, i);
    const codePoint = text.codePointAt(i) ?? 0;
    out += escapeCodePoint(codePoint);
    if (codePoint > 0xffff) i++;
    runStart = i + 1;
  }
  return runStart === 0 ? text : out + text.slice(runStart);
}

function escapeCodePoint(codePoint: number): string {
  if (codePoint < 0x80) return escapeByte(codePoint);
  if (codePoint < 0x800) return escapeByte(0xc0 | (codePoint >> 6)) + continuation(codePoint);
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return escapeCodePoint(0xfffd);
  if (codePoint < 0x10000) {
    return escapeByte(0xe0 | (codePoint >> 12)) + continuation(codePoint >> 6) + continuation(codePoint);
  }
  return (
    escapeByte(0xf0 | (codePoint >> 18)) +
    continuation(codePoint >> 12) +
    continuation(codePoint >> 6) +
    continuation(codePoint)
  );
}

function continuation(bits: number): string {
  return escapeByte(0x80 | (bits & 0x3f));
}

function escapeByte(byte: number): string {
  return escapes[byte] ?? "";
}

/** Decodes strictly: undefined if an escape is broken or its bytes are not UTF-8. */
export function percentDecodeStrict(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // The only thing it throws is URIError, and that is the answer.
    return undefined;
  }
}

/**
 * Decodes whatever comes: bytes that are not UTF-8 become U+FFFD, a `%` without two hexadecimal digits stays.
 * Source: W3C Baggage §3.2.1 value.
 */
export function percentDecode(text: string): string {
  return percentDecodeStrict(text) ?? decodeLossily(text);
}

function decodeLossily(text: string): string {
  const bytes: number[] = [];
  const encoded = new TextEncoder().encode(text);
  for (let i = 0; i < encoded.length; i++) {
    const byte = encoded[i] ?? 0;
    const high = byte === percent ? hexValue(encoded[i + 1]) : -1;
    const low = high < 0 ? -1 : hexValue(encoded[i + 2]);
    if (low < 0) {
      bytes.push(byte);
    } else {
      bytes.push(high * 16 + low);
      i += 2;
    }
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** -1 where there is no digit. */
function hexValue(code: number | undefined): number {
  if (code === undefined) return -1;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
