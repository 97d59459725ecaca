import { randomBytes } from "node:crypto";
import type { JsonValue } from "@clew/context";
import { isJsonObject } from "./document.ts";

/**
 * What becomes of an integer that a JavaScript number cannot hold (beyond ±(2^53 − 1), mostly):
 * `refuse`: the document is refused, with the integer's place; never is it rounded silently.
 * `text`: its digits, as a string. `bigint`: a bigint. Both are for schemas that expect them.
 */
export type LargeIntegers = "refuse" | "text" | "bigint";

/** Stands before the digits while they are a string; of this process alone, so no document can hold it. */
const mark = randomBytes(16).toString("hex");
const marked = new RegExp(`"${mark}(-?\\d+)"`, "g");

/** Whether a mark was ever made: as long as none was, none has to be looked for. */
let hasMarked = false;

/** Fewer digits are always held. */
const minLength = 16;
const numberOrQuote = /"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON text with such integers as marked strings, or undefined where there are none. `text` must be JSON. */
export function markLargeIntegers(text: string): string | undefined {
  if (!mayHoldLarge(text)) return undefined;
  let result = "";
  let copied = 0;
  numberOrQuote.lastIndex = 0;
  for (let match = numberOrQuote.exec(text); match !== null; match = numberOrQuote.exec(text)) {
    const [token] = match;
    if (token === '"') {
      numberOrQuote.lastIndex = endOfString(text, match.index);
    } else if (isLarge(token)) {
      result += `${text.slice(copied, match.index)}"${mark}${token}"`;
      copied = numberOrQuote.lastIndex;
    }
  }
  if (copied === 0) return undefined;
  hasMarked = true;
  return result + text.slice(copied);
}

/** Whether so many digits stand in a row anywhere: each such row has one at a place that is looked at. */
function mayHoldLarge(text: string): boolean {
  for (let at = minLength - 1; at < text.length; at += minLength) {
    if (!isDigit(text, at)) continue;
    let [start, end] = [at, at + 1];
    while (isDigit(text, start - 1)) start--;
    while (isDigit(text, end)) end++;
    if (end - start >= minLength) return true;
  }
  return false;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

/** JSON text of a value that may hold marked integers, their digits as they were. */
export function stringifyMarked(value: JsonValue): string {
  return JSON.stringify(value).replaceAll(marked, "$1");
}

/** As `JSON.stringify`, and bigints and marked integers are written as integers; what has no JSON is null. */
export function stringifyExact(value: NonNullable<unknown> | null): string {
  try {
    const text: string | undefined = JSON.stringify(value);
    if (text === undefined) return "null";
    return hasMarked && text.includes(mark) ? text.replaceAll(marked, "$1") : text;
  } catch (error) {
    if (!(error instanceof TypeError) || !error.message.includes("BigInt")) throw error;
    const toMarked = (_: string, member: unknown): unknown =>
      typeof member === "bigint" ? `${mark}${member}` : member;
    return JSON.stringify(value, toMarked).replaceAll(marked, "$1");
  }
}

export function holdsMarked(value: JsonValue): boolean {
  if (typeof value === "string") return value.startsWith(mark);
  if (Array.isArray(value)) return value.some(holdsMarked);
  return isJsonObject(value) && Object.values(value).some(holdsMarked);
}

/** Puts what is asked for in the place of each marked integer; `onRefused` hears of each that is refused. */
export function resolveMarked(
  value: JsonValue,
  mode: LargeIntegers,
  onRefused: (pointer: string) => void,
  pointer = "",
): JsonValue {
  if (typeof value === "string") {
    if (!value.startsWith(mark)) return value;
    const digits = value.slice(mark.length);
    if (mode === "refuse") onRefused(pointer);
    return mode === "bigint" ? (BigInt(digits) as never) : digits;
  }
  if (Array.isArray(value)) {
    return value.map((item, i) => resolveMarked(item as JsonValue, mode, onRefused, `${pointer}/${i}`));
  }
  if (!isJsonObject(value)) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const at = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return [name, resolveMarked(member, mode, onRefused, at)] as const;
  });
  return Object.fromEntries(members);
}

/** Whether the number reads back as other digits. Fractions are rounded by every reader of JSON, and stay so. */
function isLarge(token: string): boolean {
  return token.length >= minLength && /^-?\d+$/.test(token) && String(Number(token)) !== token;
}

/** Behind the closing quote. */
function endOfString(text: string, open: number): number {
  let at = open + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(close - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return close + 1;
    at = close + 1;
  }
}
