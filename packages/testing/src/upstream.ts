import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer, type Socket } from "node:net";
import { echoUpgrade } from "./websocket-echo.ts";

/** What a request meets here. */
export type UpstreamFault =
  /** Answered. */
  | "none"
  /** The connection is reset as soon as it is accepted. */
  | "reset-on-accept"
  /** The connection is reset when a request's head has been read. */
  | "reset-before-answer"
  /** As above, but only on a connection that has carried a request before: a kept connection that died. */
  | "reset-when-reused"
  /** Half of a 1,000-byte answer, then a reset. */
  | "reset-mid-body"
  /** Nothing is answered until {@link Upstream.release}. */
  | "hold";

export interface UpstreamOptions {
  /** Goes into the echo's `upstream`, to tell one from another. Default "upstream". */
  readonly name?: string | undefined;
  readonly fault?: UpstreamFault | undefined;
  /** Takes the place of the echo. */
  readonly handle?: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** How long an idle connection is kept, in ms. Default 5,000, as Node's own. 0 is for ever. */
  readonly keepAliveTimeoutMs?: number | undefined;
}

/** What the echo answers, as JSON. */
export interface Echo {
  readonly upstream: string;
  readonly method: string;
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly rawTrailers: readonly string[];
  /** The body as latin1 text. */
  readonly body: string;
}

export interface Upstream extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** May be changed at any time; holds for requests (or connections) from then on. */
  fault: UpstreamFault;
  /** `METHOD target` of every request whose head was read, in order. */
  readonly requests: readonly string[];
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Connections open now. */
  readonly open: number;
  /** Lets all held requests be answered. */
  release(): void;
  /** Stops listening, so that new connections are refused; open ones stay. `listen` undoes it. */
  refuse(): void;
  listen(): Promise<void>;
  /** Ends connections on which no request is running. */
  closeIdle(): void;
  /** Resets every connection. */
  resetAll(): void;
}

/** A real HTTP/1.1 server on a random loopback port that echoes requests (and upgrades) and can be told to misbehave. */
export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const { name = "upstream", handle = echoOf(name) } = options;
  const sockets = new Set<Socket>();
  const reused = new WeakSet<Socket>();
  const requests: string[] = [];
  const held: Array<() => void> = [];
  let accepted = 0;

  const meet = (request: IncomingMessage, response: ServerResponse | undefined, serve: () => void): void => {
    const { socket } = request;
    requests.push(`${request.method} ${request.url}`);
    const isReused = reused.has(socket);
    reused.add(socket);
    if (upstream.fault === "reset-before-answer" || (upstream.fault === "reset-when-reused" && isReused)) {
      reset(socket);
    } else if (upstream.fault === "reset-mid-body" && response !== undefined) {
      response.writeHead(200, { "content-length": 1_000 });
      response.write("x".repeat(500), () => reset(socket));
    } else if (upstream.fault === "hold") held.push(serve);
    else serve();
  };

  const server = createServer({
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 5_000,
    requestTimeout: 0,
    maxHeaderSize: 64 * 1024,
  });
  // Node would leave out what is beyond 1,000 lines.
  server.maxHeadersCount = 0;
  server.on("connection", (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    if (upstream.fault === "reset-on-accept") reset(socket);
  });
  server.on("request", (request, response) => meet(request, response, () => handle(request, response)));
  server.on("upgrade", (request, socket, head) => {
    meet(request, undefined, () => echoUpgrade(request, socket, head));
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  const resetAll = (): void => {
    for (const socket of sockets) reset(socket);
  };
  // HTTP's own `close` would end idle connections too.
  const stopListening = (): void => void NetServer.prototype.close.call(server);

  const upstream: Upstream = {
    host: "127.0.0.1",
    port,
    url: `http://127.0.0.1:${port}`,
    fault: options.fault ?? "none",
    requests,
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    release: () => {
      for (const serve of held.splice(0)) serve();
    },
    refuse: stopListening,
    listen: () => listen(server, port),
    closeIdle: () => server.closeIdleConnections(),
    resetAll,
    [Symbol.asyncDispose]: async () => {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      resetAll();
      await closed;
    },
  };
  return upstream;
}

function reset(socket: Socket): void {
  // A reset after an end would fail, and leave the connection open for ever.
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

function echoOf(upstream: string): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (bytes: Buffer) => pieces.push(bytes));
    request.on("end", () => {
      const echo: Echo = {
        upstream,
        method: request.method as string,
        target: request.url as string,
        rawHeaders: request.rawHeaders,
        rawTrailers: request.rawTrailers,
        body: Buffer.concat(pieces).toString("latin1"),
      };
      const body = JSON.stringify(echo);
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      });
      response.end(body);
    });
    // A client that breaks off needs no answer.
    request.on("error", () => response.destroy());
  };
}
