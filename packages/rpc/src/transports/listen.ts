import { channel } from "node:diagnostics_channel";
import { EventEmitter } from "node:events";
import { chmod, lstat, rm } from "node:fs/promises";
import type { Server as HttpServer } from "node:http";
import type { Http2Session } from "node:http2";
import {
  type AddressInfo,
  createConnection,
  createServer as createNetServer,
  type Server,
  type Socket,
} from "node:net";
import { RpcError } from "../rpc-error.ts";
import type { ForrstServer } from "../server/create-server.ts";
import type { HttpRequest, HttpResponse } from "./http-exchange.ts";
import { nodeHttp, nodeHttp2, nodeHttps } from "./node-http.ts";

export interface ListenOptions {
  /** Default 0: any that is free. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1: whoever serves others says so. */
  readonly host?: string | undefined;
  /** PEM texts; with them, `https:` and `h2:` on one port. `ca` asks clients for a certificate signed by it. */
  readonly tls?:
    | { readonly cert: string; readonly key: string; readonly ca?: string | undefined }
    | undefined;
  /** HTTP/2 instead of HTTP/1.1; with TLS, beside it. Default false. */
  readonly http2?: boolean | undefined;
  /** Listens on a Unix socket at this path, and on no port. Only this user may connect (mode 0600). */
  readonly path?: string | undefined;
  /** Connections at once. Default 10,000, as many as calls (I8). */
  readonly maxConnections?: number | undefined;
  /** Sees every connection before anything is read of it. */
  readonly onConnection?: ((socket: Socket) => void) | undefined;
}

export interface Listener extends AsyncDisposable {
  /** For `createClient`. */
  readonly url: string;
  /** Takes no more connections, lets the server end its calls, and closes what is open. */
  close(): Promise<void>;
}

/** Serves until closed. Rejects with E_RPC_LISTEN when the address cannot be had. */
export async function listen(server: ForrstServer, options: ListenOptions = {}): Promise<Listener> {
  const { path, host = "127.0.0.1", port = 0, maxConnections = 10_000 } = options;
  const net = path === undefined ? createHttp(server, options) : createUnix(server);
  const endConnections = trackConnections(net);
  net.maxConnections = maxConnections;
  if (options.onConnection !== undefined) net.prependListener("connection", options.onConnection);
  try {
    if (path === undefined) await begin(net, { host, port });
    else await beginAtPath(net, path);
  } catch (cause) {
    throw cannotListen(path ?? `${host}:${port}`, cause);
  }
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => net.close(resolve));
    await server.close();
    endConnections();
    await closed;
    if (path !== undefined) await rm(path, { force: true });
  };
  return { url: urlOf(net, options), close, [Symbol.asyncDispose]: close };
}

function begin(net: Server, at: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    net.once("error", reject);
    net.listen(at, () => {
      net.off("error", reject);
      resolve();
    });
  });
}

/** A file that a server left which was killed is no server: it is taken away where nobody answers behind it. */
async function beginAtPath(net: Server, path: string): Promise<void> {
  try {
    await begin(net, { path });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || !(await isStale(path))) throw error;
    await rm(path, { force: true });
    await begin(net, { path });
  }
  await chmod(path, 0o600);
}

/** A socket that nobody listens at. Any other file is somebody's, though connecting to it is refused just the same. */
async function isStale(path: string): Promise<boolean> {
  if (!(await lstat(path)).isSocket()) return false;
  return await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
}

function createHttp(server: ForrstServer, { tls, http2 }: ListenOptions): Server {
  const handle = (request: HttpRequest, response: HttpResponse): void => server.handle(request, response);
  const secure = tls && {
    ...tls,
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: tls.ca !== undefined,
  };
  if (http2 === true) {
    return secure === undefined
      ? nodeHttp2().createServer(handle)
      : nodeHttp2().createSecureServer({ ...secure, allowHTTP1: true }, handle);
  }
  if (secure !== undefined) return nodeHttps().createServer(secure, handle);
  const http = nodeHttp().createServer(handle);
  servePlainFirst(http, server);
  return http;
}

/**
 * Puts the shorter way in front of Node's own, connection by connection; not where somebody watches Node's server, such
 * as an SDK that makes a span of each request: it would not see ours.
 */
function servePlainFirst(http: HttpServer, server: ForrstServer): void {
  const listeners = http.listeners("connection") as ((socket: Socket) => void)[];
  http.removeAllListeners("connection");
  const idle = new Set<() => void>();
  http.on("connection", (socket: Socket) => {
    const handOver = (): void => {
      for (const listener of listeners) listener.call(http, socket);
    };
    if (isWatched(http)) return handOver();
    const endIfIdle = server.serveHttpConnection(socket, handOver);
    idle.add(endIfIdle);
    socket.once("close", () => idle.delete(endIfIdle));
  });
  const closeIdle = http.closeIdleConnections.bind(http);
  http.closeIdleConnections = () => {
    for (const endIfIdle of idle) endIfIdle();
    closeIdle();
  };
}

const requestStarted = channel("http.server.request.start");

function isWatched(http: HttpServer): boolean {
  return http.emit !== EventEmitter.prototype.emit || requestStarted.hasSubscribers;
}

function createUnix(server: ForrstServer): Server {
  return createNetServer({ allowHalfOpen: true }, (socket) => server.serveConnection(socket));
}

/** Ends HTTP/2 sessions with a word to their clients, idle connections at once, and after a moment all others. */
function trackConnections(net: Server): () => void {
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  const track = <T extends { once(event: "close", listener: () => void): unknown }>(set: Set<T>) => {
    return (member: T): void => {
      set.add(member);
      member.once("close", () => set.delete(member));
    };
  };
  net.on("connection", track(sockets));
  net.on("session", track(sessions));
  return () => {
    for (const session of sessions) session.close();
    (net as Partial<HttpServer>).closeIdleConnections?.();
    // What was written last is still on its way out.
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, lastWordsMs).unref();
  };
}

/** How long an answer may take to leave after the server has ended. */
const lastWordsMs = 100;

function urlOf(net: Server, { path, tls, http2 }: ListenOptions): string {
  if (path !== undefined) return `unix:${path}`;
  const { address, port, family } = net.address() as AddressInfo;
  const secure = tls !== undefined;
  const scheme = http2 === true ? (secure ? "h2" : "h2c") : secure ? "https" : "http";
  return `${scheme}://${family === "IPv6" ? `[${address}]` : address}:${port}/forrst`;
}

function cannotListen(where: string, cause: unknown): RpcError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const hint =
    code === "EADDRINUSE" ? "Another process has it, or a file that is no socket is there." : undefined;
  return new RpcError("E_RPC_LISTEN", `cannot listen on ${where}: ${code ?? message}`, { cause, hint });
}
