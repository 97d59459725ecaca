import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Connection, createClientConnection } from "./connection.ts";
import type { PipeEnd } from "./join.ts";
import type { TunnelLimits } from "./limits.ts";
import { openStream } from "./open-stream.ts";
import { tunnelError } from "./tunnel-error.ts";
import type { RelayHooks, SessionCredentials } from "./types.ts";

interface Inbound {
  readonly epoch: number;
  readonly connection: Connection;
}

/** The sessions' *in* connections that a relay holds: the newest of each session. */
export class InboundSessions {
  readonly #hooks: RelayHooks;
  readonly #limits: TunnelLimits;
  readonly #sessions = new Map<string, Inbound>();

  constructor(hooks: RelayHooks, limits: TunnelLimits) {
    this.#hooks = hooks;
    this.#limits = limits;
  }

  isConnected(session: string): boolean {
    return this.#sessions.get(session)?.connection.isOpen === true;
  }

  /** The epoch of the connection that serves a session now. */
  epochOf(session: string): number | undefined {
    return this.#sessions.get(session)?.epoch;
  }

  /** Turns the roles of an accepted handshake round. An older connection of the session takes no new streams from here on. */
  adopt({ session, epoch }: SessionCredentials, socket: Duplex): Connection {
    const old = this.#sessions.get(session);
    const connection: Connection = createClientConnection(
      socket as Socket,
      `session ${session}`,
      this.#limits,
      {
        pong: () => {
          if (this.isConnected(session)) this.#hooks.onSignOfLife(session);
        },
        ended: () => this.#ended(session, connection),
      },
    );
    this.#sessions.set(session, { epoch, connection });
    const wasConnected = old?.connection.isOpen === true;
    old?.connection.drain(
      tunnelError("E_TUNNEL_REPLACED", `session ${session} was connected anew from elsewhere`),
    );
    void connection.closed.then(() => {
      if (this.#sessions.get(session)?.connection === connection) this.#sessions.delete(session);
    });
    if (!wasConnected) this.#hooks.onConnected(session);
    this.#hooks.onSignOfLife(session);
    return connection;
  }

  /** Opens a byte pipe to a port of the developer's machine. Rejects with the refusal. */
  async open(session: string, port: number, signal: AbortSignal): Promise<PipeEnd> {
    const connection = this.#sessions.get(session)?.connection;
    if (connection === undefined) {
      throw this.#hooks.isKnown?.(session) === false
        ? tunnelError("E_TUNNEL_NO_SESSION", `there is no session ${session}`)
        : tunnelError("E_TUNNEL_SESSION_AWAY", `session ${session} is not connected`);
    }
    if (!connection.isOpen)
      throw tunnelError("E_TUNNEL_DRAINING", `session ${session} is ending its connection`);
    if (!this.#hooks.isOffered(session, port)) {
      throw tunnelError("E_TUNNEL_PORT_NOT_OFFERED", `session ${session} does not offer port ${port}`);
    }
    if (connection.isSuspect()) {
      throw tunnelError("E_TUNNEL_SESSION_AWAY", `session ${session} does not answer`);
    }
    return openStream(connection, {
      target: `localhost:${port}`,
      headers: {},
      limits: this.#limits,
      maxStreams: "maxStreamsPerSession",
      signal,
    });
  }

  dismiss(session: string): void {
    const reason = tunnelError("E_TUNNEL_NO_SESSION", `session ${session} has ended`);
    this.#sessions.get(session)?.connection.dismiss(reason);
  }

  #ended(session: string, connection: Connection): void {
    if (this.#sessions.get(session)?.connection === connection) this.#hooks.onDisconnected(session);
  }
}
