import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { sniffHttp2 } from "@clew/tunnel";
import { authorityOf } from "./authority.ts";
import { ManagerError } from "./manager-error.ts";

export interface ListenerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly maxConnections: number;
  readonly onError: (error: Error) => void;
}

interface ListenerHandlers {
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  onHttp2(socket: Socket): void;
}

export interface Listener {
  readonly address: { readonly host: string; readonly port: number };
  serve(handlers: ListenerHandlers): void;
  /** Takes no more connections and closes those that nothing runs on. */
  stop(): void;
  /** Cuts what is left. Resolves when the port is free. */
  destroy(): Promise<void>;
}

/**
 * One port for everything: the first bytes of a connection say whether it speaks HTTP/2 (agents, *out*) or HTTP/1.1 (the rest).
 * Connections wait until `serve` says who takes them. Throws `E_MANAGER_LISTEN`.
 */
export async function startListener({ listen, maxConnections, onError }: ListenerOptions): Promise<Listener> {
  const http = createServer();
  // Node's own listener, which makes a connection speak HTTP/1.1: it gets those that do, after a look at their first bytes.
  const speakHttp1 = http.listeners("connection") as Array<(this: Server, socket: Socket) => void>;
  const sockets = new Set<Socket>();
  let takeUp: (handlers: ListenerHandlers) => void = () => {};
  const serving = new Promise<ListenerHandlers>((resolve) => {
    takeUp = resolve;
  });
  http.removeAllListeners("connection").on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Whoever gets the socket listens for itself; until then a reset must not end the process.
    socket.on("error", () => {});
    void Promise.all([sniffHttp2(socket), serving]).then(([protocol, { onHttp2 }]) => {
      if (protocol === "http1") for (const speak of speakHttp1) speak.call(http, socket);
      if (protocol !== "http2") return;
      // HTTP/1.1 clients may end their side after the request; an HTTP/2 peer that ends its side is gone.
      socket.allowHalfOpen = false;
      onHttp2(socket);
    });
  });
  http.maxConnections = maxConnections;
  await bind(http, listen);
  const { address, port } = http.address() as AddressInfo;
  // A connection that could not be accepted, for want of file descriptors say, must not end the process.
  http.on("error", onError);
  const closed = new Promise<void>((resolve) => http.once("close", resolve));

  return {
    address: { host: address, port },
    serve(handlers) {
      http.on("request", handlers.onRequest);
      http.on("upgrade", handlers.onUpgrade);
      takeUp(handlers);
    },
    stop() {
      http.close();
      http.closeIdleConnections();
    },
    async destroy() {
      http.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function bind(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ManagerError(
      "E_MANAGER_LISTEN",
      `The manager cannot listen on ${authorityOf(host, port)} (${code}).`,
      {
        hint:
          code === "EADDRINUSE"
            ? "Another program has that port: end it, or choose another."
            : "Choose an address of this machine.",
        cause: error,
      },
    );
  }
}
