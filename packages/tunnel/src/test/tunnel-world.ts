import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Readable } from "node:stream";
import { freePort, until } from "@clew/testing";
import {
  createRelay,
  createSessionDialer,
  type Endpoint,
  type Relay,
  type RelayHooks,
  type SessionCredentials,
  type SessionDialer,
  sniffHttp2,
  startTunnel,
  type Tunnel,
  type TunnelLimits,
  type TunnelOptions,
  type TunnelState,
} from "../index.ts";

export const session = "s1";
const agentToken = "agent-secret";

export interface ListeningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on loopback; its `close` cuts every connection. */
export async function listen(server: Server, port = 0, host = "127.0.0.1"): Promise<ListeningServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => {}));
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      if (!server.listening) return;
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

/** A TCP service of the developer's. Where it listens on `::1`, nobody else has its port on 127.0.0.1. */
export async function startService(
  serve: (socket: Socket) => void,
  host = "127.0.0.1",
): Promise<ListeningServer> {
  const port = host === "127.0.0.1" ? 0 : await freePort();
  return listen(createServer({ allowHalfOpen: true }, serve), port, host);
}

export function echo(socket: Socket): void {
  socket.pipe(socket);
}

/** All that comes until the end. Unlike `node:stream/consumers`, it leaves the other direction open. */
export async function text(source: Readable): Promise<string> {
  let all = "";
  source.on("data", (piece: Buffer) => {
    all += piece.toString("latin1");
  });
  await once(source, "end");
  return all;
}

/** What the manager would know. Tests change it. */
export interface Facts {
  epoch: number;
  token: string;
  offered: Set<number>;
  known: Set<string>;
  services: Map<string, Endpoint>;
  readonly told: string[];
}

function hooksOf(facts: Facts): RelayHooks {
  return {
    authenticateSession(credentials) {
      if (!facts.known.has(credentials.session)) return "unknown-session";
      if (credentials.token !== facts.token) return "wrong-token";
      return credentials.epoch < facts.epoch ? "old-epoch" : "ok";
    },
    authenticateAgent: (token) => token === agentToken,
    isKnown: (name) => facts.known.has(name),
    isOffered: (_, port) => facts.offered.has(port),
    resolveService: (service, port) => facts.services.get(`${service}:${port}`),
    onSignOfLife: () => facts.told.push("sign"),
    onConnected: () => facts.told.push("connected"),
    onDisconnected: () => facts.told.push("disconnected"),
  };
}

export interface ManagerSide {
  readonly relay: Relay;
  readonly port: number;
  readonly address: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

/** One port for HTTP/1.1, tunnels and HTTP/2, as the manager's. */
export async function startManagerSide(
  facts: Facts,
  limits: Partial<TunnelLimits> = {},
  port = 0,
): Promise<ManagerSide> {
  const relay = createRelay(hooksOf(facts), limits);
  const http = createHttpServer((_, answer) => answer.end("manager"));
  http.on("upgrade", (request, socket, head) => relay.handleUpgrade(request, socket, head));
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    const kind = await sniffHttp2(socket);
    if (kind === "http2") relay.handleHttp2(socket);
    if (kind === "http1") http.emit("connection", socket);
  });
  const listening = await listen(server, port);
  const kill = async (): Promise<void> => {
    await listening.close();
    await relay.close({ graceMs: 0 });
  };
  return { relay, port: listening.port, address: `127.0.0.1:${listening.port}`, kill };
}

export interface World extends AsyncDisposable {
  readonly facts: Facts;
  manager: ManagerSide;
  readonly tunnel: Tunnel;
  readonly states: TunnelState[];
  readonly dialer: SessionDialer;
  /** The developer's; closed with all the rest. */
  readonly services: ListeningServer[];
  connect(port: number, signal?: AbortSignal): ReturnType<SessionDialer["connect"]>;
  /** Until the relay holds the session's connection. */
  connected(): Promise<void>;
}

/** Agent, relay and developer's side, joined; short waits, so that tests of reconnecting end soon. */
export async function startWorld(
  limits: Partial<TunnelLimits> = {},
  options: Partial<TunnelOptions> = {},
): Promise<World> {
  const facts: Facts = {
    epoch: 0,
    token: "session-secret",
    offered: new Set(),
    known: new Set([session]),
    services: new Map(),
    told: [],
  };
  const quick = { minBackoffMs: 10, maxBackoffMs: 50, ...limits };
  const manager = await startManagerSide(facts, quick);
  const states: TunnelState[] = [];
  const tunnel = startTunnel(
    {
      manager: { host: "127.0.0.1", port: manager.port },
      authenticate: () => Promise.resolve(resume(facts)),
      isOffered: (port) => facts.offered.has(port),
      onState: (state) => states.push(state),
      ...options,
    },
    quick,
  );
  const dialer = createSessionDialer({ agent: "orders", token: agentToken, limits: quick });
  const world: World = {
    facts,
    manager,
    tunnel,
    states,
    dialer,
    services: [],
    connect: (port, signal = AbortSignal.timeout(4_000)) =>
      dialer.connect({ relay: manager.address, session, port }, signal),
    connected: async () => void (await until(() => world.manager.relay.isConnected(session))),
    async [Symbol.asyncDispose]() {
      dialer.close();
      await tunnel.close({ graceMs: 0 });
      await world.manager.kill();
      await Promise.all(world.services.map((service) => service.close()));
    },
  };
  return world;
}

/** As the manager does it: each resumption has a higher epoch. */
export function resume(facts: Facts): SessionCredentials {
  facts.epoch += 1;
  return { session, token: facts.token, epoch: facts.epoch };
}

/** Starts a service of the developer's and offers its port. */
export async function offer(
  world: World,
  serve: (socket: Socket) => void,
  host?: string,
): Promise<ListeningServer> {
  const service = await startService(serve, host);
  world.services.push(service);
  world.facts.offered.add(service.port);
  await world.connected();
  return service;
}
