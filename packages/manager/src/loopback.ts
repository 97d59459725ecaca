/** Whether a host (no port; IPv6 without brackets) is this machine itself, by address or by a name that browsers keep to it (RFC 6761 §6.3). */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(name);
}

/** Whether an address to listen on means all of the machine's addresses, and so is none that anybody could dial. */
export function isWildcardHost(host: string): boolean {
  return host === "0.0.0.0" || host === "::" || host === "";
}

/** The host of `host[:port]` as it stands in a Host header or an origin; IPv6 loses its brackets. */
export function hostOf(authority: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(authority);
  return bracketed?.[1] ?? authority.replace(/:\d+$/, "");
}

/** `host:port`, with the brackets that IPv6 needs. */
export function authorityOf(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
