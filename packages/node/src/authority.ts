/** Authorities whose host is kept, since a process knows few; beyond that all are forgotten and read anew, some 1 µs each. */
const maxKnown = 256;

const known: Map<string, string> = new Map();

/** The host of an authority, `host:port` as a rule. What is no authority stays what it is. */
export function hostOfAuthority(authority: string): string {
  let host = known.get(authority);
  if (host === undefined) {
    const url = `http://${authority}`;
    host = URL.canParse(url) ? new URL(url).hostname : authority;
    if (known.size >= maxKnown) known.clear();
    known.set(authority, host);
  }
  return host;
}
