import { connect, isIPv6 } from "node:net";
import type { Duplex } from "node:stream";
import type { Upstream } from "./types.ts";

/** An upstream at an address. Names are resolved at each new connection. */
export function tcpUpstream(host: string, port: number): Upstream {
  return {
    key: `tcp://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    connect: (signal) => connectTcp(host, port, signal),
  };
}

function connectTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // Half-open: an upgraded protocol may end one direction before the other.
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const abort = (): void => void socket.destroy(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("error", reject);
      resolve(socket);
    });
    socket.once("close", () => signal.removeEventListener("abort", abort));
  });
}
