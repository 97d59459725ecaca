import { connect, type Socket } from "node:net";
import type { Endpoint } from "./types.ts";

/** A TCP connection for a byte pipe: half-open allowed, without delay. Rejects with the socket's error or the signal's reason. */
export function dialSocket(endpoint: Endpoint, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { host, port } = endpoint;
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      socket.off("connect", connected).off("error", settle);
      if (error === undefined) {
        resolve(socket);
        return;
      }
      // A second error may follow the first, when several addresses were tried.
      socket.on("error", () => {}).destroy();
      reject(error);
    };
    const connected = (): void => settle();
    const abort = (): void => settle(signal.reason);
    const timer = setTimeout(() => settle(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("connect", connected).once("error", settle);
  });
}
