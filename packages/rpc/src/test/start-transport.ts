import { once } from "node:events";
import type { Socket } from "node:net";
import type { ForrstServer } from "../server/create-server.ts";
import { type ListenOptions, listen } from "../transports/listen.ts";
import type { StartedTransport } from "./transport-contract.ts";

/** Listens as `listen` does, with a hand on the connections. */
export async function startTransport(
  server: ForrstServer,
  options: ListenOptions,
): Promise<StartedTransport> {
  const sockets = new Set<Socket>();
  const listener = await listen(server, {
    ...options,
    onConnection(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    },
  });
  return {
    url: listener.url,
    connections: () => sockets.size,
    kill() {
      for (const socket of sockets) {
        if (options.path === undefined) socket.resetAndDestroy();
        else socket.destroy();
      }
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
      await Promise.all([...sockets].map((socket) => once(socket, "close")));
    },
  };
}
