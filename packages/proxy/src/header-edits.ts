import type { HeaderEdits } from "./types.ts";

/** Throws when an added line would not be one line. */
export function checkEdits(edits: HeaderEdits | undefined): void {
  for (const [name, value] of edits?.set ?? []) checkLine(name, value);
}

/** Throws as well. Source: RFC 9110 §5.5, §5.6.2. */
export function checkLine(name: string, value: string): void {
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name)) {
    throw new TypeError(`${JSON.stringify(name)} is no name of a header`);
  }
  if (typeof value !== "string" || /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    throw new TypeError(`the value for ${name} has characters that no header may have`);
  }
}

export function linesOf(lines: ReadonlyArray<readonly [name: string, value: string]>): string {
  let text = "";
  for (const [name, value] of lines) text += `${name}: ${value}\r\n`;
  return text;
}
