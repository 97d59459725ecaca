import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** What the developer's side shows when it dials: obtained from the manager, anew for every dial. */
export interface SessionCredentials {
  readonly session: string;
  readonly token: string;
  /** Grows each time the session is resumed; a connection with an older one is refused. */
  readonly epoch: number;
}

/** Manager's side: joins agents' streams with sessions' *in* connections, and sessions' *out* streams with services. */
export interface Relay {
  /** The *in* connection: `Upgrade: clew-tunnel/1`. Answers and owns the socket. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** An HTTP/2 connection of an agent, or a developer's *out* connection. The preface may already lie in the socket's buffer. */
  handleHttp2(socket: Socket): void;
  isConnected(session: string): boolean;
  /** Ends a session's connections, for a session that was closed or whose lease ended. */
  disconnect(session: string): void;
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface RelayHooks {
  authenticateSession(
    credentials: SessionCredentials,
  ): "ok" | "unknown-session" | "wrong-token" | "old-epoch";
  authenticateAgent(token: string | undefined): boolean;
  /** Whether a session exists that is not connected: `E_TUNNEL_SESSION_AWAY` if so (or if not given), else `E_TUNNEL_NO_SESSION`. */
  isKnown?(session: string): boolean;
  /** Whether the session offered this local port (has an override that names it). */
  isOffered(session: string, port: number): boolean;
  /** The address of a service's agent, for a developer's own outgoing calls. */
  resolveService(service: string, port: string): Endpoint | undefined;
  /** The *in* connection answered a ping, or opened. */
  onSignOfLife(session: string): void;
  /** `isConnected` has become true; not called when a newer connection takes the place of an older one. */
  onConnected(session: string): void;
  /** `isConnected` has become false: the connection is lost, or drains. */
  onDisconnected(session: string): void;
}

export type TunnelState =
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "connected"; readonly since: number }
  | {
      readonly phase: "waiting";
      readonly attempt: number;
      readonly retryInMs: number;
      readonly reason: string;
    }
  | { readonly phase: "closed"; readonly reason: string };

/** Developer's side. Reconnects by itself with backoff and jitter until it is closed. */
export interface Tunnel {
  readonly state: TunnelState;
  /** A byte pipe to a service's agent over the *out* connection. */
  openService(service: string, port: string, signal?: AbortSignal): Promise<Duplex>;
  /** Refuses new streams, waits for those that came *in* up to `graceMs`, then ends both connections. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

export interface TunnelOptions {
  readonly manager: Endpoint;
  /** Called before every dial: resumes the session or opens a new one and re-makes its overrides. */
  authenticate(): Promise<SessionCredentials>;
  /** Local ports that streams may reach. */
  isOffered(port: number): boolean;
  onState?(state: TunnelState): void;
}

/** Agent's side: one HTTP/2 connection per relay, a stream per byte pipe. */
export interface SessionDialer {
  /** Rejects with a coded error when relay or session refuse; nothing was sent to the developer's service then. */
  connect(
    target: { readonly relay: string; readonly session: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<Duplex>;
  close(): void;
}
