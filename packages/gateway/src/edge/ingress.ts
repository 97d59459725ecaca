import { once } from "node:events";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { tcpUpstream, type Upstream } from "@clew/proxy";
import type { Address } from "../gateway-options.ts";

/** A way into the system. */
export interface Ingress {
  readonly address: Address;
  /** The host that is asked for there, in place of a preview's own. Undefined: as the visitor asked. */
  readonly requestHost?: string | undefined;
  /** Spoken there, with a certificate for `requestHost` (or the address) that one of these authorities signed. */
  readonly tls?: { readonly ca?: string | undefined } | undefined;
}

export function upstreamOf({ address, requestHost, tls }: Ingress): Upstream {
  const { host, port } = address;
  if (tls === undefined) return tcpUpstream(host, port);
  const name = (requestHost ?? host).replace(/:\d+$/, "");
  return {
    key: `tls:${name}@${host}:${port}`,
    async connect(signal) {
      const socket = connect({
        host,
        port,
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        // An address is no name to ask for. Source: RFC 6066 §3
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ALPNProtocols: ["http/1.1"],
      });
      try {
        await once(socket, "secureConnect", { signal });
      } catch (error) {
        socket.on("error", () => {}).destroy();
        throw error;
      }
      return socket;
    },
  };
}

/** The host as an origin holds it: in lower case. */
export function hostsOf({ address, requestHost }: Ingress): [string, ...string[]] | undefined {
  if (requestHost === undefined) return undefined;
  const { host, port } = address;
  return [requestHost.toLowerCase(), `${host.includes(":") ? `[${host}]` : host}:${port}`.toLowerCase()];
}
