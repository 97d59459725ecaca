import type { Endpoint, SessionCredentials } from "./types.ts";

/** The version stands in the token, so that a relay can refuse what it does not speak with 426. */
export const upgradeToken = "clew-tunnel/1";
export const upgradePath = "/clew-tunnel";

/** On the handshake of an *in* connection and on each stream of an *out* connection. */
const sessionHeader = "clew-session";
const tokenHeader = "clew-token";
const epochHeader = "clew-epoch";
/** Name of the agent, for the relay's diagnostics. */
export const agentHeader = "clew-agent";
/** On an answer that refuses: the reason, see `serializeRefusal`. */
export const errorHeader = "clew-error";

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export function credentialHeaders(credentials: SessionCredentials): Record<string, string> {
  return {
    [sessionHeader]: credentials.session,
    [tokenHeader]: credentials.token,
    [epochHeader]: String(credentials.epoch),
  };
}

/** Undefined when there are none, or when one is malformed. */
export function parseCredentials(headers: Headers): SessionCredentials | undefined {
  const [session, token, epoch] = [headers[sessionHeader], headers[tokenHeader], headers[epochHeader]];
  if (typeof session !== "string" || typeof token !== "string" || typeof epoch !== "string") return undefined;
  if (!namePattern.test(session) || token === "" || !/^\d{1,15}$/.test(epoch)) return undefined;
  return { session, token, epoch: Number(epoch) };
}

/** Whether a stream claims to be a session's (*out*) and not an agent's. */
export function claimsSession(headers: Headers): boolean {
  return headers[sessionHeader] !== undefined;
}

export function bearerToken(headers: Headers): string | undefined {
  const value = headers["authorization"];
  return typeof value === "string" ? /^Bearer +(\S+)$/i.exec(value)?.[1] : undefined;
}

/** Sessions, services and named ports: what may stand in an authority without quoting. */
const namePattern = /^[A-Za-z0-9._~-]{1,128}$/;

/** Splits a CONNECT's `<session or service>:<port>`. */
export function parseTarget(authority: unknown): { name: string; port: string } | undefined {
  if (typeof authority !== "string") return undefined;
  const colon = authority.lastIndexOf(":");
  const [name, port] = [authority.slice(0, colon), authority.slice(colon + 1)];
  return colon > 0 && namePattern.test(name) && namePattern.test(port) ? { name, port } : undefined;
}

/** A TCP port, 1–65535. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/** `host:port`, with an IPv6 host in brackets. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d+)$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = parsePort(match?.[3] ?? "");
  return host === undefined || port === undefined ? undefined : { host, port };
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
