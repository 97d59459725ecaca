/** Values of all lines of a name (lower-case), in order. */
export function headerLines(raw: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    if (raw[at]?.toLowerCase() === name) values.push(raw[at + 1] as string);
  }
  return values;
}
