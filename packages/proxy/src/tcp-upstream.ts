import type { Upstream } from "./types.ts";
import { connectTcp, tcpKey } from "./upstream-socket.ts";

/** An upstream at an address. Names are resolved at each new connection. */
export function tcpUpstream(host: string, port: number): Upstream {
  return {
    key: tcpKey(host, port),
    connect: (signal) => connectTcp(host, port, signal),
  };
}
