import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { ProxyError } from "./proxy-error.ts";

/** Where a proxy's connections come from. */
export type Listen =
  /** Port 0 takes any free one. */
  | { readonly host: string; readonly port: number }
  /** A descriptor that this process inherited, such as systemd's first, 3. */
  | { readonly fd: number }
  /** What another process handed over, as it came: its descriptor is taken, the object itself is done with. */
  | { readonly handle: Server };

/** Starts to listen, and says where. Throws E_LISTEN when the address is taken or not ours, or the descriptor is none to listen on. */
export async function listenOn(
  server: Server,
  listen: Listen,
): Promise<{ readonly host: string; readonly port: number }> {
  // At once after a hand-over: what the server that came would accept meanwhile, nobody would serve.
  if ("handle" in listen) server.listen(listen.handle);
  else if ("fd" in listen) server.listen({ fd: listen.fd });
  else server.listen(listen.port, listen.host);
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
  if ("fd" in listen) return `descriptor ${listen.fd}`;
  return "handle" in listen ? "the descriptor that was handed over" : `${listen.host}:${listen.port}`;
}
