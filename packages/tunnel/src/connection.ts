import {
  connect,
  constants,
  type Http2Session,
  type Http2Stream,
  performServerHandshake,
  type ServerSessionOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { publishLost } from "./diagnostics.ts";
import { breakOff } from "./join.ts";
import { type KeepAlive, startKeepAlive } from "./keep-alive.ts";
import type { TunnelLimits } from "./limits.ts";
import { parseRefusal, serializeRefusal, type TunnelError, tunnelError } from "./tunnel-error.ts";

export interface ConnectionEvents {
  /** The peer answered a ping; the first is sent at once. */
  readonly pong?: (() => void) | undefined;
  /** Once: no new stream may be opened any more. Running ones go on if the connection drains, and are cut if it is lost. */
  readonly ended?: ((reason: TunnelError) => void) | undefined;
}

/** One HTTP/2 connection that carries byte pipes, in either role: windows, pings, drain and end are the same for both. */
export class Connection {
  readonly session: Http2Session;
  /** Resolves when the connection and all its streams are gone. Never rejects. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #peer: string;
  readonly #ended: ConnectionEvents["ended"];
  readonly #keepAlive: KeepAlive;
  readonly #streams = new Set<Http2Stream>();
  #reason: TunnelError | undefined;

  /** Takes the socket over. `peer` is for messages only. */
  constructor(
    session: Http2Session,
    socket: Socket,
    peer: string,
    limits: TunnelLimits,
    events: ConnectionEvents = {},
  ) {
    this.session = session;
    this.#socket = socket;
    this.#peer = peer;
    this.#ended = events.ended;
    // `http.Server` leaves its sockets half-open, so that a killed peer's FIN would end nothing.
    socket.allowHalfOpen = false;
    socket.setNoDelay(true);
    socket.setTimeout(0);
    session.setLocalWindowSize(limits.connectionWindowBytes);
    let failure: Error | undefined;
    session.on("error", (error) => {
      failure = error;
    });
    session.on("goaway", (_code, _lastStreamId, data) => {
      this.#end(parseRefusal(data?.toString()) ?? tunnelError("E_TUNNEL_DRAINING", `${peer} said goodbye`));
    });
    this.#keepAlive = startKeepAlive(session, socket, limits, {
      pong: () => events.pong?.(),
      dead: () => {
        failure ??= new Error(`no sign of life for ${limits.maxMissedPings * limits.pingIntervalMs} ms`);
        this.destroy();
      },
    });
    this.closed = new Promise((resolve) => {
      session.once("close", () => {
        this.#keepAlive.stop();
        this.#lose(failure);
        resolve();
      });
    });
  }

  /** Whether new streams may be opened. */
  get isOpen(): boolean {
    return this.#reason === undefined && !this.session.closed && !this.session.destroyed;
  }

  /** Why no stream may be opened any more. */
  get reason(): TunnelError | undefined {
    return this.#reason;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Whether the peer is probably gone, though not yet proved dead. */
  isSuspect(): boolean {
    return this.#keepAlive.isSuspect();
  }

  /** Counts a stream until it is over. */
  add(stream: Http2Stream): void {
    this.#streams.add(stream);
    stream.once("close", () => {
      this.#streams.delete(stream);
      this.#closeWhenIdle();
    });
  }

  /** Says goodbye with a reason; the connection closes when its running streams are over. */
  drain(reason: TunnelError): void {
    if (!this.isOpen) return;
    this.session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from(serializeRefusal(reason)));
    this.#end(reason);
    this.#closeWhenIdle();
  }

  /** Says goodbye and resets what runs. */
  dismiss(reason: TunnelError): void {
    this.drain(reason);
    for (const stream of this.#streams) breakOff(stream, "reset");
  }

  /** Cuts the connection, and with it all streams, without waiting for the peer. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Not before: Node sends no pings on a session that it is closing, and a peer that dies meanwhile would not be noticed. */
  #closeWhenIdle(): void {
    if (this.#reason !== undefined && this.#streams.size === 0 && !this.session.destroyed)
      this.session.close();
  }

  #end(reason: TunnelError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#ended?.(reason);
  }

  #lose(failure: Error | undefined): void {
    if (this.#reason !== undefined) return;
    const reason = failure?.message ?? "connection closed";
    publishLost({ peer: this.#peer, streams: this.#streams.size, reason });
    this.#end(tunnelError("E_TUNNEL_RESET", `lost the connection to ${this.#peer}: ${reason}`, failure));
  }
}

function sessionOptions(limits: TunnelLimits): ServerSessionOptions {
  const options = {
    settings: {
      enablePush: false,
      initialWindowSize: limits.streamWindowBytes,
      // Above our own limit, which refuses with a code: Node would let a stream above this one wait in silence.
      maxConcurrentStreams: 2 * limits.maxStreamsPerConnection,
    },
    maxSessionMemory: limits.maxSessionMemoryMiB,
    // Not in Node's types, and not in Node 20, which passes over them.
    streamResetRate: limits.maxResetsPerSecond,
    streamResetBurst: 10 * limits.maxResetsPerSecond,
  };
  return options;
}

/** The HTTP/2 client on a connected socket: the side that opens streams. Bytes that lie in the socket's buffer are read first. */
export function createClientConnection(
  socket: Socket,
  peer: string,
  limits: TunnelLimits,
  events?: ConnectionEvents,
): Connection {
  const session = connect("http://tunnel", { ...sessionOptions(limits), createConnection: () => socket });
  return new Connection(session, socket, peer, limits, events);
}

/** The HTTP/2 server on a connected socket: the side that answers streams. Bytes that lie in the socket's buffer are read first. */
export function createServerConnection(
  socket: Socket,
  peer: string,
  limits: TunnelLimits,
  events?: ConnectionEvents,
): Connection {
  return new Connection(performServerHandshake(socket, sessionOptions(limits)), socket, peer, limits, events);
}
