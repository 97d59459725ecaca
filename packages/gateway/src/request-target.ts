/** The path and query of a request-target: an absolute one without its scheme and host. */
export function originForm(target: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.startsWith("/") ? path : `/${path}`;
}

export function splitQuery(pathAndQuery: string): readonly [path: string, query: string] {
  const hash = pathAndQuery.indexOf("#");
  const whole = hash < 0 ? pathAndQuery : pathAndQuery.slice(0, hash);
  const mark = whole.indexOf("?");
  return mark < 0 ? [whole, ""] : [whole.slice(0, mark), whole.slice(mark + 1)];
}

/**
 * An address that browsers cannot but read as a path on the same host, whatever it was given: `//elsewhere`, `/\elsewhere`
 * and a tab between two slashes would lead to another one. Source: WHATWG URL §4.4 (authority states)
 */
export function sameHostLocation(pathAndQuery: string): string {
  const path = pathAndQuery.replace(/^[/\\\s\p{Cc}]+/u, "");
  return `/${path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))}`;
}

/** The query's first value of a name, and the query without all of them, otherwise unchanged. */
export function takeParameter(
  query: string,
  name: string,
): { readonly value: string; readonly rest: string } | undefined {
  const parts = query.split("&");
  const isWanted = (part: string): boolean => part === name || part.startsWith(`${name}=`);
  const first = parts.find(isWanted);
  if (first === undefined) return undefined;
  return { value: first.slice(name.length + 1), rest: parts.filter((part) => !isWanted(part)).join("&") };
}
