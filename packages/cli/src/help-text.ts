/** The last part of a command's help: lines that a person may copy. */
export function examples(...lines: string[]): string {
  return `EXAMPLES\n${lines.map((line) => `  ${line}`).join("\n")}`;
}
