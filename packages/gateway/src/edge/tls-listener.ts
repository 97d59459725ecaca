import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Socket } from "node:net";
import { createSecureContext, createServer, type SecureContext, type Server } from "node:tls";
import { type ListenAddress, listenOn } from "@clew/proxy";
import { GatewayError } from "../gateway-error.ts";

export interface TlsOptions {
  /** The first one is for clients that ask for a name that none has, or for none. */
  readonly certificates: readonly [CertificateFiles, ...CertificateFiles[]];
  /** PEM file of the authorities of clients' certificates, which then are asked for, but of nobody required. */
  readonly clientCa?: string | undefined;
}

export interface CertificateFiles {
  /** PEM files: the certificate with those that lead to its authority, and its key. */
  readonly cert: string;
  readonly key: string;
  /** Names that it is for, such as `shop.example` and `*.preview.example`. */
  readonly hosts: readonly string[];
}

export interface TlsListener {
  /** It listens. */
  readonly server: Server;
  /** Reads the certificates again. With a fault in one of them the old ones stay; throws `E_GATEWAY_TLS`. */
  reload(): void;
  /** Ends, after so many ms, connections whose handshake is not over by then; the others are the proxy's to end. */
  stop(afterMs: number): void;
}

/** How often the files are looked at, in ms. 10 s: who renews a certificate does so weeks before it matters. */
const lookIntervalMs = 10_000;
/** From a connection to the end of its handshake, in ms. 10 s: several round trips to the other side of the world. */
const handshakeTimeoutMs = 10_000;

/** Rejects with `E_GATEWAY_TLS`, and `E_LISTEN` where it cannot listen. */
export async function listenTls(
  listen: ListenAddress,
  options: TlsOptions,
  onReloaded: (error: unknown) => void,
): Promise<TlsListener> {
  let contexts = readContexts(options);
  const server = createServer({
    ...defaultContext(options),
    ALPNProtocols: ["http/1.1"],
    handshakeTimeout: handshakeTimeoutMs,
    requestCert: options.clientCa !== undefined,
    // Whoever has none is a visitor like any other.
    rejectUnauthorized: false,
    SNICallback: (name, done) => done(null, contextFor(contexts, name)),
  });
  const shaking = trackHandshakes(server);
  server.on("tlsClientError", () => {
    // A client that cannot agree on anything, or has gone: nothing that somebody here should look at.
  });
  await listenOn(server, listen);
  const reload = (): void => {
    const before = contexts;
    try {
      contexts = readContexts(options);
      server.setSecureContext(defaultContext(options));
    } catch (error) {
      contexts = before;
      throw error;
    }
  };
  const stopLooking = watchFiles(filesOf(options), () => {
    try {
      reload();
      onReloaded(undefined);
    } catch (error) {
      onReloaded(error);
    }
  });
  return {
    server,
    reload,
    stop(afterMs) {
      stopLooking();
      const cut = (): void => {
        for (const socket of shaking) socket.destroy();
      };
      // A request may be about to follow on one of them.
      if (afterMs > 0) setTimeout(cut, afterMs).unref();
      else cut();
    },
  };
}

function trackHandshakes(server: Server): ReadonlySet<Socket> {
  const shaking = new Map<string, Socket>();
  const sockets = new Set<Socket>();
  const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    shaking.set(key, socket);
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      if (shaking.get(key) === socket) shaking.delete(key);
    });
  });
  server.on("secureConnection", (secure) => {
    const socket = shaking.get(keyOf(secure));
    if (socket !== undefined) sockets.delete(socket);
  });
  return sockets;
}

interface NamedContext {
  readonly hosts: readonly string[];
  readonly context: SecureContext;
}

function readContexts({ certificates, clientCa }: TlsOptions): NamedContext[] {
  return certificates.map(({ hosts, ...files }) => ({
    hosts: hosts.map((host) => host.toLowerCase()),
    context: createSecureContext(readFiles(files, clientCa)),
  }));
}

function defaultContext({ certificates: [first], clientCa }: TlsOptions): SecureFiles {
  return readFiles(first, clientCa);
}

interface SecureFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca?: Buffer;
}

function readFiles(files: Pick<CertificateFiles, "cert" | "key">, clientCa: string | undefined): SecureFiles {
  const { cert: file, key } = files;
  try {
    const read = {
      cert: readFileSync(file),
      key: readFileSync(key),
      ...(clientCa === undefined ? {} : { ca: readFileSync(clientCa) }),
    };
    createSecureContext(read);
    return read;
  } catch (cause) {
    const message = `the certificate ${file} cannot be used: ${(cause as Error).message}`;
    throw new GatewayError("E_GATEWAY_TLS", message, {
      cause,
      hint: "Give PEM files of a certificate (with its chain) and of its private key.",
    });
  }
}

/** The exact name first, then the wildcard one label up. Source: RFC 9525 §6.3 */
function contextFor(contexts: readonly NamedContext[], name: string): SecureContext | undefined {
  const lower = name.toLowerCase();
  const wildcard = lower.replace(/^[^.]+/, "*");
  const found =
    contexts.find(({ hosts }) => hosts.includes(lower)) ??
    contexts.find(({ hosts }) => hosts.includes(wildcard)) ??
    contexts[0];
  return found?.context;
}

function filesOf({ certificates, clientCa }: TlsOptions): string[] {
  return [
    ...certificates.flatMap(({ cert, key }) => [cert, key]),
    ...(clientCa === undefined ? [] : [clientCa]),
  ];
}

function watchFiles(files: readonly string[], onChange: () => void): () => void {
  let before: string | undefined;
  const look = async (): Promise<void> => {
    const times = await Promise.allSettled(files.map((file) => stat(file)));
    const now = times.map((time) => (time.status === "fulfilled" ? time.value.mtimeMs : "none")).join();
    if (before !== undefined && now !== before) onChange();
    before = now;
  };
  void look();
  const timer = setInterval(() => void look(), lookIntervalMs).unref();
  return () => clearInterval(timer);
}
