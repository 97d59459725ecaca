import type { IncomingMessage } from "node:http";
import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { answerStream, type StreamHeaders } from "./answer-stream.ts";
import { type Connection, createServerConnection } from "./connection.ts";
import { publishRefused } from "./diagnostics.ts";
import { InboundSessions } from "./inbound-sessions.ts";
import type { PipeEnd } from "./join.ts";
import { defaultTunnelLimits, type TunnelLimits } from "./limits.ts";
import { authenticateSession, OutboundStreams } from "./outbound-streams.ts";
import {
  agentHeader,
  bearerToken,
  claimsSession,
  parseCredentials,
  parsePort,
  parseTarget,
} from "./protocol.ts";
import { settleWithin } from "./settle-within.ts";
import { TunnelError, tunnelError } from "./tunnel-error.ts";
import type { Relay, RelayHooks, SessionCredentials } from "./types.ts";
import { acceptUpgrade, checkUpgrade, refuseUpgrade } from "./upgrade-answer.ts";

/** The manager's side: see {@link Relay}. Takes connections from a listener that belongs to the caller. */
export function createRelay(hooks: RelayHooks, limits?: Partial<TunnelLimits>): Relay {
  return new SessionRelay(hooks, { ...defaultTunnelLimits, ...limits });
}

class SessionRelay implements Relay {
  readonly #hooks: RelayHooks;
  readonly #limits: TunnelLimits;
  readonly #inbound: InboundSessions;
  readonly #outbound: OutboundStreams;
  readonly #connections = new Set<Connection>();
  #closing: Promise<void> | undefined;

  constructor(hooks: RelayHooks, limits: TunnelLimits) {
    this.#hooks = hooks;
    this.#limits = limits;
    this.#inbound = new InboundSessions(hooks, limits);
    this.#outbound = new OutboundStreams(hooks, limits);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const credentials = parseCredentials(request.headers);
    try {
      this.#admit(request, credentials);
    } catch (error) {
      if (!(error instanceof TunnelError)) throw error;
      publishRefused({ who: credentials?.session, target: undefined, error });
      refuseUpgrade(socket, error);
      return;
    }
    acceptUpgrade(socket);
    if (head.length > 0) socket.unshift(head);
    this.#track(this.#inbound.adopt(credentials, socket));
  }

  handleHttp2(socket: Socket): void {
    if (this.#closing !== undefined) {
      socket.destroy();
      return;
    }
    const connection = createServerConnection(
      socket,
      `${socket.remoteAddress}:${socket.remotePort}`,
      this.#limits,
    );
    connection.session.on("stream", (stream: ServerHttp2Stream, headers: StreamHeaders) => {
      connection.add(stream);
      void this.#answer(connection, stream, headers);
    });
    this.#track(connection);
  }

  isConnected(session: string): boolean {
    return this.#inbound.isConnected(session);
  }

  disconnect(session: string): void {
    this.#inbound.dismiss(session);
    this.#outbound.reset(session);
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? this.#limits.closeGraceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    const reason = tunnelError("E_TUNNEL_DRAINING", "the manager is shutting down");
    for (const connection of this.#connections) connection.drain(reason);
    await settleWithin([...this.#connections], graceMs);
  }

  #admit(
    request: IncomingMessage,
    credentials: SessionCredentials | undefined,
  ): asserts credentials is SessionCredentials {
    if (this.#closing !== undefined) throw tunnelError("E_TUNNEL_DRAINING", "the manager is shutting down");
    const malformed = checkUpgrade(request);
    if (malformed !== undefined) throw malformed;
    authenticateSession(this.#hooks, credentials);
    const { session, epoch } = credentials;
    const current = this.#inbound.epochOf(session);
    // The relay's own memory: a manager whose view lags behind would let an old connection in.
    if (current !== undefined && epoch < current) {
      throw tunnelError(
        "E_TUNNEL_OLD_EPOCH",
        `session ${session} is connected with epoch ${current} already`,
      );
    }
  }

  async #answer(connection: Connection, stream: ServerHttp2Stream, headers: StreamHeaders): Promise<void> {
    const error = await answerStream(stream, (signal) => this.#connect(connection, stream, headers, signal));
    if (error === undefined) return;
    const agent = headers[agentHeader];
    const session = parseCredentials(headers)?.session;
    const who = session ?? (typeof agent === "string" ? `agent ${agent}` : undefined);
    publishRefused({ who, target: headers[":authority"], error });
  }

  async #connect(
    connection: Connection,
    stream: ServerHttp2Stream,
    headers: StreamHeaders,
    signal: AbortSignal,
  ): Promise<PipeEnd> {
    const { maxStreamsPerConnection } = this.#limits;
    if (this.#closing !== undefined) throw tunnelError("E_TUNNEL_DRAINING", "the manager is shutting down");
    if (connection.streamCount > maxStreamsPerConnection) {
      const message = `this connection has ${maxStreamsPerConnection} streams already (maxStreamsPerConnection)`;
      throw tunnelError("E_TUNNEL_STREAMS", message);
    }
    const asksFor = `${headers[":method"]} ${headers[":authority"]}`;
    const target = parseTarget(headers[":authority"]);
    if (headers[":method"] !== "CONNECT" || target === undefined) {
      throw tunnelError("E_TUNNEL_PROTOCOL", `${asksFor} is not CONNECT <name>:<port>`);
    }
    if (claimsSession(headers)) {
      const credentials = parseCredentials(headers);
      authenticateSession(this.#hooks, credentials);
      return this.#outbound.open(stream, credentials, target.name, target.port, signal);
    }
    if (!this.#hooks.authenticateAgent(bearerToken(headers))) {
      throw tunnelError("E_TUNNEL_UNAUTHENTICATED", "the agent's token is missing or wrong");
    }
    const port = parsePort(target.port);
    if (port === undefined) throw tunnelError("E_TUNNEL_PROTOCOL", `${asksFor}: not a port`);
    return this.#inbound.open(target.name, port, signal);
  }

  #track(connection: Connection): void {
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
  }
}
