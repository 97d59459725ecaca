import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { ProxyError } from "./proxy-error.ts";

/** What a process got from another one to listen on: a descriptor's number, or a server that came by IPC. */
export type Inherited = Server | { readonly fd: number };

export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  /**
   * Asked first: what was inherited for this address, if anything. A server that came by IPC listens from the moment it came,
   * so this is to resolve then and not later: its descriptor is taken at once, and the object itself is done with.
   */
  readonly inherited?: (() => Promise<Inherited | undefined>) | undefined;
}

/** Where a proxy's connections come from. */
export type Listen = ListenAddress | { readonly fd: number };

/** Starts to listen, and says where. Throws E_LISTEN when the address is taken or not ours, or the descriptor is none to listen on. */
export async function listenOn(
  server: Server,
  listen: Listen,
): Promise<{ readonly host: string; readonly port: number }> {
  const inherited = "fd" in listen ? listen : await listen.inherited?.();
  // Nothing may be awaited between the two: connections that the server that came accepts have nobody to serve them.
  if (inherited !== undefined) server.listen(inherited);
  else if ("host" in listen) server.listen(listen.port, listen.host);
  try {
    await once(server, "listening");
  } catch (cause) {
    throw new ProxyError("E_LISTEN", `cannot listen on ${nameOf(listen)}: ${(cause as Error).message}`, {
      cause,
      hint: "Choose another address, or stop what listens there.",
    });
  }
  return addressOf(server);
}

/** Where a server that listens does so. */
export function addressOf(server: Server): { readonly host: string; readonly port: number } {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

function nameOf(listen: Listen): string {
  return "fd" in listen ? `descriptor ${listen.fd}` : `${listen.host}:${listen.port}`;
}
