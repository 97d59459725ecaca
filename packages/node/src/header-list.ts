/** Headers as clients take them: names and values in turn, or an object. */
export type HeaderList = unknown[] | Record<string, unknown>;

export type HeaderField = readonly [name: string, value: string];

/** Pairs as names and values in turn; undefined when not all of them are pairs. */
export function flatPairs(pairs: Iterable<unknown>): unknown[] | undefined {
  const flat: unknown[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return undefined;
    flat.push(...pair);
  }
  return flat;
}

/** The value of the first header of that name, in whatever case it is written. */
export function headerValue(headers: HeaderList, lowerCaseName: string): unknown {
  if (Array.isArray(headers)) {
    for (let index = 0; index + 1 < headers.length; index += 2) {
      if (isNamed(headers[index], lowerCaseName)) return headers[index + 1];
    }
    return undefined;
  }
  for (const name in headers) if (isNamed(name, lowerCaseName)) return headers[name];
  return undefined;
}

/** A copy in which these fields are set, each in the place of what had its name. */
export function withFields(headers: HeaderList, fields: readonly HeaderField[]): HeaderList {
  const names = fields.map(([name]) => name);
  // Nearly always there is nothing to take out, and a plain copy is several times as fast.
  const isSet = names.some((name) => headerValue(headers, name) !== undefined);
  const rest = isSet ? withoutNames(headers, names) : headers;
  if (Array.isArray(rest)) return [...rest, ...fields.flat()];
  const copy: Record<string, unknown> = { ...rest };
  for (const [name, value] of fields) copy[name] = value;
  return copy;
}

/** A copy without the headers of these names (lower case). */
export function withoutNames(headers: HeaderList, lowerCaseNames: readonly string[]): HeaderList {
  const isKept = (name: unknown): boolean => !lowerCaseNames.some((other) => isNamed(name, other));
  if (Array.isArray(headers)) return headers.filter((_, index) => isKept(headers[index - (index % 2)]));
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isKept(name)));
}

function isNamed(name: unknown, lowerCaseName: string): boolean {
  const text = String(name);
  return text.length === lowerCaseName.length && text.toLowerCase() === lowerCaseName;
}
