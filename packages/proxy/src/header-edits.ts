import { validateHeaderName, validateHeaderValue } from "node:http";
import type { HeaderEdits } from "./types.ts";

/** Throws when an added line would not be one line. */
export function checkEdits(edits: HeaderEdits | undefined): void {
  for (const [name, value] of edits?.set ?? []) checkLine(name, value);
}

export function checkLine(name: string, value: string): void {
  validateHeaderName(name);
  validateHeaderValue(name, value);
}

export function linesOf(lines: ReadonlyArray<readonly [name: string, value: string]>): string {
  let text = "";
  for (const [name, value] of lines) text += `${name}: ${value}\r\n`;
  return text;
}
