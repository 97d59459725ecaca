import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { isClewError } from "@clew/errors";
import { answerStream, type StreamHeaders } from "./answer-stream.ts";
import { type Connection, createServerConnection } from "./connection.ts";
import { dialIn } from "./dial-in.ts";
import type { PipeEnd } from "./join.ts";
import { defaultTunnelLimits, type TunnelLimits } from "./limits.ts";
import { connectLocalPort } from "./local-port.ts";
import { credentialHeaders, formatEndpoint, parsePort, parseTarget } from "./protocol.ts";
import { RelayLink } from "./relay-link.ts";
import { settleWithin } from "./settle-within.ts";
import { messageOf, TunnelError, tunnelError } from "./tunnel-error.ts";
import { TunnelPipe } from "./tunnel-pipe.ts";
import type { SessionCredentials, Tunnel, TunnelOptions, TunnelState } from "./types.ts";

/** The developer's side: see {@link Tunnel}. Dials at once; `onState` tells how it goes, and must not throw. */
export function startTunnel(options: TunnelOptions, limits?: Partial<TunnelLimits>): Tunnel {
  return new SupervisedTunnel(options, { ...defaultTunnelLimits, ...limits });
}

/** How one connection ended, and with it what the supervisor does next. */
type Outcome =
  /** It was served and then lost: dial again, at once if it had been stable. */
  | { readonly kind: "served"; readonly forMs: number; readonly reason: string }
  /** The relay said goodbye, and lets running streams finish: likewise. */
  | { readonly kind: "drained"; readonly forMs: number; readonly reason: string }
  /** It did not come about: dial again, later each time. */
  | { readonly kind: "retryable"; readonly reason: string }
  /** Dialling again would change nothing: close. */
  | { readonly kind: "fatal"; readonly reason: string };

class SupervisedTunnel implements Tunnel {
  readonly #options: TunnelOptions;
  readonly #limits: TunnelLimits;
  readonly #out: RelayLink;
  readonly #stop = new AbortController();
  /** The one that is served, and older ones that still drain. */
  readonly #connections = new Set<Connection>();
  #credentials: SessionCredentials | undefined;
  #state: TunnelState = { phase: "connecting", attempt: 1 };
  #closing: Promise<void> | undefined;

  constructor(options: TunnelOptions, limits: TunnelLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#out = new RelayLink(options.manager, limits);
    void this.#supervise();
  }

  get state(): TunnelState {
    return this.#state;
  }

  async openService(service: string, port: string, signal?: AbortSignal): Promise<Duplex> {
    const credentials = this.#credentials;
    if (credentials === undefined) {
      throw tunnelError("E_TUNNEL_UNREACHABLE", "the tunnel has not yet been connected");
    }
    const headers = credentialHeaders(credentials);
    // Without a signal the limits alone end the wait. Not `#stop`'s: each of many waits would listen to it.
    const given = signal ?? new AbortController().signal;
    return new TunnelPipe(await this.#out.open(`${service}:${port}`, headers, given));
  }

  close(options: { readonly graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close("closed by its owner", options.graceMs ?? this.#limits.closeGraceMs);
    return this.#closing;
  }

  async #close(reason: string, graceMs: number): Promise<void> {
    const goodbye = tunnelError("E_TUNNEL_DRAINING", "the developer's side is closing");
    this.#stop.abort(goodbye);
    for (const connection of this.#connections) connection.drain(goodbye);
    await settleWithin([...this.#connections], graceMs);
    // What runs out served what came in, and that is over: a kept connection of the service would never end by itself.
    this.#out.destroy();
    this.#setState({ phase: "closed", reason });
  }

  async #supervise(): Promise<void> {
    let attempt = 1;
    const { minBackoffMs, maxBackoffMs, stableAfterMs } = this.#limits;
    while (!this.#stop.signal.aborted) {
      this.#setState({ phase: "connecting", attempt });
      const outcome = await this.#serveOnce();
      if (this.#stop.signal.aborted) return;
      if (outcome.kind === "fatal") {
        this.#closing ??= this.#close(outcome.reason, this.#limits.closeGraceMs);
        return;
      }
      const wasStable = outcome.kind !== "retryable" && outcome.forMs >= stableAfterMs;
      attempt = wasStable ? 1 : attempt + 1;
      // Full jitter: many tunnels that one manager's restart cut must not come back in step.
      const retryInMs = Math.round(Math.random() * Math.min(maxBackoffMs, minBackoffMs * 2 ** (attempt - 1)));
      this.#setState({ phase: "waiting", attempt, retryInMs, reason: outcome.reason });
      await delay(retryInMs, undefined, { signal: this.#stop.signal }).catch(() => {
        // Safe: only the stop rejects it, and the loop looks at that next.
      });
    }
  }

  /** authenticate → dial and handshake → serve, until no new stream can come any more. */
  async #serveOnce(): Promise<Outcome> {
    const { manager } = this.#options;
    let socket: Socket;
    try {
      this.#credentials = await this.#authenticate();
    } catch (error) {
      // Anything but a final coded error may be the network's: keep trying.
      return {
        kind: isClewError(error) && !error.retryable ? "fatal" : "retryable",
        reason: messageOf(error),
      };
    }
    try {
      socket = await dialIn(manager, this.#credentials, this.#limits, this.#stop.signal);
    } catch (error) {
      // Other refusals are about the session, and the next `authenticate` may mend them; a wrong version stays wrong.
      const isFatal = error instanceof TunnelError && error.code === "E_TUNNEL_PROTOCOL";
      return { kind: isFatal ? "fatal" : "retryable", reason: messageOf(error) };
    }
    if (this.#stop.signal.aborted) {
      socket.destroy();
      return { kind: "fatal", reason: "closed while it was connected" };
    }
    const startedAt = performance.now();
    const { code, message: reason } = await this.#serve(socket);
    if (code === "E_TUNNEL_REPLACED") return { kind: "fatal", reason };
    const forMs = performance.now() - startedAt;
    return { kind: code === "E_TUNNEL_RESET" ? "served" : "drained", forMs, reason };
  }

  async #authenticate(): Promise<SessionCredentials> {
    const { authenticateTimeoutMs } = this.#limits;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = `the manager gave no session within ${authenticateTimeoutMs} ms`;
      timer = setTimeout(() => reject(tunnelError("E_TUNNEL_TIMEOUT", message)), authenticateTimeoutMs);
    });
    try {
      return await Promise.race([this.#options.authenticate(), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves with the reason once no new stream can come; running ones may still go on. */
  #serve(socket: Socket): Promise<TunnelError> {
    const peer = `the manager ${formatEndpoint(this.#options.manager)}`;
    return new Promise((ended) => {
      const connection = createServerConnection(socket, peer, this.#limits, { ended });
      connection.session.on("stream", (stream: ServerHttp2Stream, headers: StreamHeaders) => {
        connection.add(stream);
        void answerStream(stream, (signal) => this.#connectLocal(connection, headers, signal));
      });
      this.#connections.add(connection);
      void connection.closed.then(() => this.#connections.delete(connection));
      this.#setState({ phase: "connected", since: Date.now() });
    });
  }

  async #connectLocal(connection: Connection, headers: StreamHeaders, signal: AbortSignal): Promise<PipeEnd> {
    const { maxStreamsPerSession, openTimeoutMs } = this.#limits;
    const port = parsePort(parseTarget(headers[":authority"])?.port ?? "");
    if (headers[":method"] !== "CONNECT" || port === undefined) {
      throw tunnelError(
        "E_TUNNEL_PROTOCOL",
        `${headers[":method"]} ${headers[":authority"]} is not CONNECT localhost:<port>`,
      );
    }
    if (connection.reason !== undefined) {
      throw tunnelError("E_TUNNEL_DRAINING", "the developer's side is closing this connection");
    }
    if (connection.streamCount > maxStreamsPerSession) {
      throw tunnelError(
        "E_TUNNEL_STREAMS",
        `${maxStreamsPerSession} streams run already (maxStreamsPerSession)`,
      );
    }
    if (!this.#options.isOffered(port)) {
      throw tunnelError("E_TUNNEL_PORT_NOT_OFFERED", `the developer's side does not offer port ${port}`);
    }
    return connectLocalPort(port, openTimeoutMs, signal);
  }

  #setState(state: TunnelState): void {
    this.#state = state;
    this.#options.onState?.(state);
  }
}
