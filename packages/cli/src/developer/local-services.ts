import { createServer, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { Tunnel } from "@clew/tunnel";
import { referencesIn } from "../config/references.ts";

export interface LocalServices {
  /** Local `host:port` behind which a service's agent answers, by way of the tunnel. */
  addressOf(service: string, port: string): string | undefined;
  close(): void;
}

/**
 * Opens a local port for every service that the declared environment refers to. A connection made there goes out
 * through the tunnel to that service's agent, so the developer's process calls the others as if it ran among them.
 */
export async function openLocalServices(
  tunnel: () => Tunnel,
  declared: Readonly<Record<string, string>>,
): Promise<LocalServices> {
  const listeners = new Map<string, Server>();
  const sockets = new Set<Socket>();
  for (const { service, port } of Object.values(declared).flatMap(referencesIn)) {
    const name = `${service}.${port}`;
    if (listeners.has(name)) continue;
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      void join(socket, tunnel(), service, port);
    });
    listeners.set(name, server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
  }
  return {
    addressOf: (service, port) => {
      const address = listeners.get(`${service}.${port}`)?.address();
      return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : undefined;
    },
    close: () => {
      for (const server of listeners.values()) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function join(socket: Socket, tunnel: Tunnel, service: string, port: string): Promise<void> {
  const gone = new AbortController();
  socket.once("close", () => gone.abort());
  socket.on("error", () => {}); // reported by its close
  try {
    const remote = await tunnel.openService(service, port, gone.signal);
    // Either side's end or failure ends the other: pipeline destroys both on an error.
    pipeline(socket, remote, () => {});
    pipeline(remote, socket, () => {});
  } catch {
    socket.resetAndDestroy(); // to the caller it is what it would be without a tunnel: an unreachable service
  }
}
