import { once } from "node:events";
import type { ClientHttp2Stream } from "node:http2";
import { type Connection, createClientConnection } from "./connection.ts";
import { dialSocket } from "./dial-socket.ts";
import type { TunnelLimits } from "./limits.ts";
import { openStream } from "./open-stream.ts";
import { formatEndpoint } from "./protocol.ts";
import { messageOf, TunnelError, tunnelError } from "./tunnel-error.ts";
import type { Endpoint } from "./types.ts";

/**
 * idle → dialling → ready → (drained or lost, next caller) dialling …
 *            ↓ failed → (hold-off over, next caller) dialling
 */
type LinkState =
  | { readonly phase: "idle" }
  | { readonly phase: "dialling"; readonly dial: Promise<Connection>; readonly failed: Failed | undefined }
  | { readonly phase: "ready"; readonly connection: Connection }
  | Failed
  | { readonly phase: "closed" };

interface Failed {
  readonly phase: "failed";
  readonly error: TunnelError;
  readonly failures: number;
  readonly untilMs: number;
}

/** Longest time in which a relay that could not be reached is not tried again: short, since it may be back any moment. */
const maxHoldOffMs = 2_000;

/** How many dials failed in a row decides how long the next is held off. */
function holdOffMs(failures: number, limits: TunnelLimits): number {
  return Math.min(maxHoldOffMs, limits.minBackoffMs * 2 ** (failures - 1));
}

/**
 * One HTTP/2 connection to a relay, dialled when it is first needed and again after it was lost. Callers share a dial.
 * After a failure callers are refused at once (I3); when the hold-off is over, one of them tries and waits.
 */
export class RelayLink {
  readonly #relay: Endpoint;
  readonly #limits: TunnelLimits;
  readonly #stop = new AbortController();
  readonly #connections = new Set<Connection>();
  #state: LinkState = { phase: "idle" };

  constructor(relay: Endpoint, limits: TunnelLimits) {
    this.#relay = relay;
    this.#limits = limits;
  }

  get isIdle(): boolean {
    return this.#connections.size === 0 && this.#state.phase !== "dialling";
  }

  async open(
    target: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ClientHttp2Stream> {
    const connection = await abortable(this.#connection(), signal);
    const limits = this.#limits;
    return openStream(connection, { target, headers, limits, maxStreams: "maxStreamsPerConnection", signal });
  }

  /** Opens nothing more; connections end when their streams are over. Resolves then. */
  async close(): Promise<void> {
    this.#state = { phase: "closed" };
    const reason = tunnelError("E_TUNNEL_CLOSED", "closed by its owner");
    this.#stop.abort(reason);
    for (const connection of this.#connections) connection.drain(reason);
    await Promise.all([...this.#connections].map((connection) => connection.closed));
  }

  /** Cuts what still runs. */
  destroy(): void {
    void this.close();
    for (const connection of this.#connections) connection.destroy();
  }

  #connection(): Promise<Connection> {
    const state = this.#state;
    switch (state.phase) {
      case "closed":
        return Promise.reject(tunnelError("E_TUNNEL_CLOSED", "the tunnel is closed"));
      case "ready":
        if (!state.connection.isOpen) return this.#startDial(undefined);
        if (!state.connection.isSuspect()) return Promise.resolve(state.connection);
        return Promise.reject(this.#unreachable("does not answer"));
      case "dialling":
        return state.failed === undefined ? state.dial : Promise.reject(state.failed.error);
      case "failed":
        return performance.now() < state.untilMs ? Promise.reject(state.error) : this.#startDial(state);
      case "idle":
        return this.#startDial(undefined);
    }
  }

  #startDial(failed: Failed | undefined): Promise<Connection> {
    const dial = this.#dial(failed);
    this.#state = { phase: "dialling", dial, failed };
    return dial;
  }

  async #dial(failed: Failed | undefined): Promise<Connection> {
    try {
      const connection = await this.#connect();
      this.#state = { phase: "ready", connection };
      return connection;
    } catch (cause) {
      const error = cause instanceof TunnelError ? cause : this.#unreachable(messageOf(cause), cause);
      const failures = (failed?.failures ?? 0) + 1;
      const untilMs = performance.now() + holdOffMs(failures, this.#limits);
      if (!this.#stop.signal.aborted) this.#state = { phase: "failed", error, failures, untilMs };
      throw error;
    }
  }

  async #connect(): Promise<Connection> {
    const { dialTimeoutMs } = this.#limits;
    const peer = `the relay ${formatEndpoint(this.#relay)}`;
    const socket = await dialSocket(this.#relay, dialTimeoutMs, this.#stop.signal);
    const connection = createClientConnection(socket, peer, this.#limits);
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    const timer = setTimeout(() => connection.destroy(), dialTimeoutMs);
    // Only what speaks HTTP/2 sends settings: a wrong address is found here, not by the first stream.
    await Promise.race([
      once(connection.session, "remoteSettings", { signal: this.#stop.signal }).catch(() => {}),
      connection.closed,
    ]);
    clearTimeout(timer);
    if (this.#stop.signal.aborted) connection.destroy();
    if (connection.isOpen && !this.#stop.signal.aborted) return connection;
    throw this.#stop.signal.reason ?? this.#unreachable("ended the connection at once: not a Clew relay?");
  }

  #unreachable(why: string, cause?: unknown): TunnelError {
    return tunnelError("E_TUNNEL_UNREACHABLE", `relay ${formatEndpoint(this.#relay)}: ${why}`, cause);
  }
}

/** The promise, or the signal's reason if that comes first. The promise itself goes on, for those who share it. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
