import { isUtf8 } from "node:buffer";
import type { JsonValue } from "@clew/context";
import { findJsonFault } from "./find-json-fault.ts";
import { markLargeIntegers } from "./large-integers.ts";

export type JsonResult =
  /** `marked` is the value with large integers marked (see large-integers.ts), where there are any. */
  | { readonly ok: true; readonly value: JsonValue; readonly marked?: JsonValue }
  | {
      readonly ok: false;
      readonly kind: "syntax" | "depth";
      readonly message: string;
      readonly position: number;
    };

/**
 * Parses a JSON text, in UTF-8 where it comes as bytes, without ever throwing, and never builds one that is deeper than
 * `maxDepth`.
 */
export function parseJson(source: Buffer | string, maxDepth: number): JsonResult {
  if (typeof source !== "string" && !isUtf8(source)) {
    return syntaxFault("the document is not UTF-8", firstInvalidUtf8(source));
  }
  const text = typeof source === "string" ? source : source.toString("utf8");
  // Few brackets cannot be deep, and to count them is much cheaper than to look at every byte.
  const tooDeep = hasMoreBrackets(text, maxDepth) ? findExcessDepth(bytesOf(source), maxDepth) : undefined;
  if (tooDeep !== undefined) {
    const message = `the document is nested deeper than ${maxDepth} levels`;
    return { ok: false, kind: "depth", message, position: tooDeep };
  }
  try {
    const value = JSON.parse(text) as JsonValue;
    const marked = markLargeIntegers(text);
    return marked === undefined ? { ok: true, value } : { ok: true, value, marked: JSON.parse(marked) };
  } catch {
    // Only a SyntaxError can come from JSON.parse; where it lies is found below, the same way on every Node version.
    const bytes = bytesOf(source);
    const fault = findJsonFault(bytes);
    if (fault === undefined) return syntaxFault("invalid JSON", 0);
    const found = fault.position >= bytes.length ? "the document ended" : "found something else";
    return syntaxFault(`invalid JSON: expected ${fault.expected}, but ${found}`, fault.position);
  }
}

/** Only for documents that are refused. */
function bytesOf(source: Buffer | string): Buffer {
  return typeof source === "string" ? Buffer.from(source) : source;
}

function syntaxFault(message: string, position: number): JsonResult {
  return { ok: false, kind: "syntax", message, position };
}

function hasMoreBrackets(text: string, limit: number): boolean {
  let count = 0;
  for (const bracket of ["{", "["]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

/** Byte offset of the bracket that goes too deep. Text that is not JSON may give any answer: the parser refuses it anyway. */
function findExcessDepth(bytes: Uint8Array, maxDepth: number): number | undefined {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) {
      inString = true;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return at;
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
  return undefined;
}

/** Decoding puts U+FFFD where bytes are wrong; the first one that does not stand in the bytes themselves is the place. */
function firstInvalidUtf8(bytes: Buffer): number {
  const text = bytes.toString("utf8");
  let position = 0;
  let from = 0;
  for (let at = text.indexOf("\ufffd"); at !== -1; at = text.indexOf("\ufffd", from)) {
    position += Buffer.byteLength(text.slice(from, at));
    if (bytes[position] !== 0xef || bytes[position + 1] !== 0xbf || bytes[position + 2] !== 0xbd)
      return position;
    position += 3;
    from = at + 1;
  }
  return position;
}
