import type { Duplex } from "node:stream";
import { defaultTunnelLimits, type TunnelLimits } from "./limits.ts";
import { agentHeader, parseEndpoint } from "./protocol.ts";
import { RelayLink } from "./relay-link.ts";
import { tunnelError } from "./tunnel-error.ts";
import { TunnelPipe } from "./tunnel-pipe.ts";
import type { SessionDialer } from "./types.ts";

export interface SessionDialerOptions {
  /** The manager's token, where it asks for one. */
  readonly token?: string | undefined;
  /** This agent's name, for the relay's diagnostics. */
  readonly agent: string;
  readonly limits?: Partial<TunnelLimits> | undefined;
}

/** Relays known at once, one per manager that holds a session. Idle links to others are forgotten above it. */
const maxRelays = 64;

/** The agent's side: see {@link SessionDialer}. Its pipes are {@link TunnelPipe}s. */
export function createSessionDialer(options: SessionDialerOptions): SessionDialer {
  const limits = { ...defaultTunnelLimits, ...options.limits };
  const headers: Record<string, string> = { [agentHeader]: encodeURIComponent(options.agent) };
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  const links = new Map<string, RelayLink>();
  let closed = false;

  const linkTo = (relay: string): RelayLink => {
    if (closed) throw tunnelError("E_TUNNEL_CLOSED", "the dialer is closed");
    const known = links.get(relay);
    if (known !== undefined) return known;
    const endpoint = parseEndpoint(relay);
    if (endpoint === undefined) {
      throw tunnelError("E_TUNNEL_PROTOCOL", `the table names "${relay}" as a relay, which is not host:port`);
    }
    if (links.size >= maxRelays) forgetIdle(links);
    const link = new RelayLink(endpoint, limits);
    links.set(relay, link);
    return link;
  };

  return {
    async connect({ relay, session, port }, signal): Promise<Duplex> {
      return new TunnelPipe(await linkTo(relay).open(`${session}:${port}`, headers, signal));
    },
    close() {
      closed = true;
      for (const link of links.values()) void link.close();
      links.clear();
    },
  };
}

function forgetIdle(links: Map<string, RelayLink>): void {
  for (const [relay, link] of links) if (link.isIdle) links.delete(relay);
}
