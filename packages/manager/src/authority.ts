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
