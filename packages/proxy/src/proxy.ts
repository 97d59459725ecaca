import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { ClientConnection, type ClientOwner } from "./client-connection.ts";
import { Environment } from "./environment.ts";
import { defaultLimits, type ProxyLimits } from "./limits.ts";
import { addressOf, type Listen, listenOn } from "./listener.ts";
import type { Route, Proxy as RunningProxy } from "./types.ts";

export interface ProxyOptions {
  /**
   * See {@link RunningProxy.address} for the port that was taken. A `server` that listens already, such as one for TLS, gives
   * its connections instead, and is closed with the proxy.
   */
  readonly listen: Listen | { readonly server: Server };
  /** Asked once per request. What it throws is answered with 500 and told to `onError`. */
  readonly route: Route;
  readonly limits?: Partial<ProxyLimits> | undefined;
  /** Told of faults that are ours or the plan's, not the network's. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Starts to listen. Throws E_LISTEN when the address is taken or not ours. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { listen, route, onError = () => {} } = options;
  const environment = new Environment({ ...defaultLimits, ...options.limits }, onError);
  // Half-open: a client that has ended its side still gets its answer.
  const server = "server" in listen ? listen.server : createServer({ allowHalfOpen: true, noDelay: true });
  const frontend = new Frontend(server, environment, route);
  const address = "server" in listen ? addressOf(server) : await listenOn(server, listen);
  frontend.start();
  return {
    address,
    server,
    stats: environment.stats,
    retire: (key) => environment.pools.retire(key),
    close: ({ graceMs = environment.limits.drainGraceMs, idleGraceMs = 0 } = {}) =>
      frontend.close(graceMs, idleGraceMs),
  };
}

/** The clients' side: who is connected, and for how long. */
class Frontend implements ClientOwner {
  readonly route: Route;
  readonly #server: Server;
  readonly #environment: Environment;
  readonly #clients = new Set<ClientConnection>();
  #closing: Promise<void> | undefined;

  constructor(server: Server, environment: Environment, route: Route) {
    this.#server = server;
    this.#environment = environment;
    this.route = route;
    const { stats } = environment;
    server.maxConnections = environment.limits.maxConnections;
    // Told by what only a server of node:tls has: loading that module would cost every agent its memory.
    server.on("setSecureContext" in server ? "secureConnection" : "connection", this.#connected);
    server.on("drop", () => stats.connectionsRefused++);
  }

  start(): void {
    const { clock, pools, batch } = this.#environment;
    clock.start(() => {
      for (const client of this.#clients) client.sweep();
      pools.sweep();
      batch.sweep(clock.tickMs);
    });
  }

  clientClosed(client: ClientConnection): void {
    if (this.#clients.delete(client)) this.#environment.stats.connectionsOpen--;
  }

  close(graceMs: number, idleGraceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs, idleGraceMs);
    return this.#closing;
  }

  readonly #connected = (socket: Socket): void => {
    // Also for connections of a server that was not made here.
    socket.allowHalfOpen = true;
    const { stats } = this.#environment;
    stats.connectionsOpen++;
    stats.connectionsTotal++;
    this.#clients.add(new ClientConnection(socket, this.#environment, this));
  };

  async #drain(graceMs: number, idleGraceMs: number): Promise<void> {
    this.#environment.isDraining = true;
    const closed = once(this.#server, "close");
    this.#server.close();
    const timers: NodeJS.Timeout[] = [];
    const cutIdle = (): void => {
      for (const client of this.#clients) if (client.isIdle) client.destroy();
    };
    if (idleGraceMs > 0) timers.push(setTimeout(cutIdle, Math.min(idleGraceMs, graceMs)));
    else cutIdle();
    const cutAll = (): void => {
      for (const client of this.#clients) client.destroy();
    };
    timers.push(setTimeout(cutAll, graceMs));
    await closed;
    for (const timer of timers) clearTimeout(timer);
    this.#environment.clock.stop();
    this.#environment.pools.close();
  }
}
