import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Server as TlsServer } from "node:tls";
import { sendLocal } from "./answer.ts";
import { refusalOf, refuse } from "./client-refusal.ts";
import { Exchange, type ExchangeEnvironment, type UpgradeSide } from "./exchange.ts";
import { headBytes } from "./headers.ts";
import { defaultLimits, type ProxyLimits } from "./limits.ts";
import { addressOf, type Listen, listenOn } from "./listener.ts";
import { errorAnswer } from "./proxy-error.ts";
import { createRequestHead, faultOf } from "./request-head.ts";
import { mayUpgrade, withoutUpgrade } from "./request-headers.ts";
import type { LocalAnswer, Plan, Route, Proxy as RunningProxy } from "./types.ts";
import { UpstreamPools } from "./upstream-pools.ts";

export interface ProxyOptions {
  /**
   * See {@link RunningProxy.address} for the port that was taken. A `server` that listens already, such as one for TLS, gives
   * its connections instead, and is closed with the proxy.
   */
  readonly listen: Listen | { readonly server: NetServer };
  /** Asked once per request. What it throws is answered with 500 and told to `onError`. */
  readonly route: Route;
  readonly limits?: Partial<ProxyLimits> | undefined;
  /** Told of faults that are ours or the plan's, not the network's. Must not throw. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** Starts to listen. Throws E_LISTEN when the address is taken or not ours. */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const limits = { ...defaultLimits, ...options.limits };
  const server = createServer({
    maxHeaderSize: limits.maxHeadBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.clientIdleTimeoutMs,
    // Node looks for late heads only so often.
    connectionsCheckingInterval: Math.max(50, limits.headersTimeoutMs / 4),
    insecureHTTPParser: false,
    requireHostHeader: true,
  });
  const listener = "server" in options.listen ? options.listen.server : server;
  listener.maxConnections = limits.maxConnections;
  // All lines; `maxHeadBytes` is the limit.
  server.maxHeadersCount = 0;
  // A client that has ended its side still gets its answer. Node has it since 0.x, but not in its types.
  Object.assign(server, { httpAllowHalfOpen: true });
  const frontend = new Frontend(server, listener, limits, options.route, options.onError ?? (() => {}));
  frontend.attach();
  const address = await listenTo(server, options.listen);
  return {
    address,
    server: listener,
    retire: (key) => frontend.pools.retire(key),
    close: ({ graceMs = limits.drainGraceMs } = {}) => frontend.close(graceMs),
  };
}

async function listenTo(server: Server, listen: ProxyOptions["listen"]): Promise<RunningProxy["address"]> {
  if (!("server" in listen)) return listenOn(server, listen);
  const event = listen.server instanceof TlsServer ? "secureConnection" : "connection";
  listen.server.on(event, (socket: Socket) => server.emit("connection", socket));
  return addressOf(listen.server);
}

/** The clients' side: their connections, and what becomes of each request. */
class Frontend {
  readonly pools: UpstreamPools;
  readonly #server: Server;
  /** Where connections come from: the server itself, or one that was given. */
  readonly #listener: NetServer;
  readonly #route: Route;
  readonly #environment: ExchangeEnvironment;
  /** Every open connection, and the answers that are under way on it. */
  readonly #clients = new Map<Socket, Set<ServerResponse>>();
  readonly #exchanges = new WeakMap<ServerResponse, Exchange>();
  #closing: Promise<void> | undefined;

  constructor(
    server: Server,
    listener: NetServer,
    limits: ProxyLimits,
    route: Route,
    onError: (error: unknown) => void,
  ) {
    this.#server = server;
    this.#listener = listener;
    this.#route = route;
    this.pools = new UpstreamPools(limits);
    this.#environment = { pools: this.pools, limits, onError, isDraining: () => this.#closing !== undefined };
  }

  attach(): void {
    const serve = (request: IncomingMessage, response: ServerResponse): void =>
      this.#serve(request, response, undefined);
    this.#server
      .on("connection", (socket: Socket) => this.#connected(socket))
      .on("request", serve)
      // The upstream says whether to go on.
      .on("checkContinue", serve)
      .on("checkExpectation", serve)
      .on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
        this.#upgrade(request, socket as Socket, head),
      )
      .on("connect", (_request: IncomingMessage, socket: Duplex) => this.#connect(socket as Socket))
      .on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) =>
        this.#malformed(error, socket as Socket),
      );
  }

  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    const closed = once(this.#listener, "close");
    this.#server.close();
    if (this.#listener !== this.#server) this.#listener.close();
    // That ended those that idle between requests, but not those that never sent one.
    for (const socket of this.#clients.keys()) if (socket.bytesRead === 0) socket.destroy();
    const timer = setTimeout(() => {
      for (const socket of this.#clients.keys()) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
    this.pools.close();
  }

  #connected(socket: Socket): void {
    // A connection that was handed back to node:http comes a second time.
    if (this.#clients.has(socket)) return;
    const answers = new Set<ServerResponse>();
    this.#clients.set(socket, answers);
    socket.on("close", () => {
      this.#clients.delete(socket);
      for (const answer of answers) this.#exchanges.get(answer)?.clientDone();
    });
    // After an upgrade nobody else listens.
    socket.on("error", () => socket.destroy());
    socket.on("end", () => {
      for (const answer of answers) this.#exchanges.get(answer)?.clientEnded();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse, upgrade: UpgradeSide | undefined): void {
    const { socket } = request;
    const answers = this.#clients.get(socket);
    // The parser may still find pipelined requests in what a client sent before its connection broke.
    if (answers === undefined) return;
    answers.add(response);
    // An answer that had begun before the drain, or before the client ended its side, did not say `connection: close`.
    const endIfLast = (): void => {
      const isLast = this.#closing !== undefined || socket.readableEnded;
      if (isLast && answers.size === 0 && request.complete) socket.destroySoon();
    };
    request.once("close", endIfLast);
    response.once("close", () => {
      answers.delete(response);
      endIfLast();
    });
    const plan = this.#planOf(request);
    if ("upstream" in plan) {
      const exchange = new Exchange(this.#environment, plan, request, response, upgrade);
      this.#exchanges.set(response, exchange);
      exchange.start();
    } else {
      const closes =
        plan.status === 400 || request.headers.expect !== undefined || this.#environment.isDraining();
      sendLocal(response, plan, closes || !response.shouldKeepAlive, this.#environment.onError);
    }
  }

  #planOf(request: IncomingMessage): Plan | LocalAnswer {
    const fault = faultOf(request);
    if (fault !== undefined) return errorAnswer(400, "E_REQUEST_MALFORMED", fault);
    try {
      return this.#route(createRequestHead(request));
    } catch (error) {
      this.#environment.onError(error);
      return errorAnswer(500, "E_ROUTE_FAILED", "the request could not be routed");
    }
  }

  /** Whether answers to earlier requests are under way, which one to be written by hand would overtake. */
  #isAnswering(socket: Socket): boolean {
    return (this.#clients.get(socket)?.size ?? 0) > 0;
  }

  #connect(socket: Socket): void {
    const allow = ["allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE"];
    if (this.#isAnswering(socket)) socket.destroy();
    else refuse(socket, 405, "E_CONNECT_REFUSED", "this is not a forward proxy", allow);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.setTimeout(0);
    if (this.#isAnswering(socket)) socket.destroy();
    else if (mayUpgrade(request)) this.#serveUpgrade(request, socket, head);
    else this.#serveWithoutUpgrade(request, socket, head);
  }

  #serveUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    socket.on("drain", () => response.emit("drain"));
    response.once("finish", () => socket.destroySoon());
    this.#serve(request, response, { socket, head });
  }

  /** Gives the connection back to node:http, which has let go of it, as if the client had not asked for an upgrade. */
  #serveWithoutUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const startLine = `${request.method} ${request.url} HTTP/${request.httpVersion}`;
    socket.unshift(Buffer.concat([headBytes(startLine, withoutUpgrade(request.rawHeaders)), head]));
    this.#server.emit("connection", socket);
  }

  #malformed(error: NodeJS.ErrnoException, socket: Socket): void {
    const [first, ...more] = this.#clients.get(socket) ?? [];
    // With another request's answer under way, a refusal would be taken for it.
    const isItsTurn = first === undefined || (more.length === 0 && !first.req.complete && !first.headersSent);
    if (isItsTurn && socket.writable && error.code !== "ECONNRESET") refuse(socket, ...refusalOf(error));
    else socket.destroy();
  }
}
