import type { Server } from "node:net";
import type { Failure, Upstream } from "./types.ts";

/** Who made a connection. */
export interface TcpClient {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
}

/** Where one whole connection goes. */
export interface TcpPlan {
  readonly upstream: Upstream;
  /** Takes the connection when `upstream` cannot be reached, or ends before a byte passed either way (I3). */
  readonly fallback?: Upstream | undefined;
  /** Limit for reaching `upstream`, in ms. Default `limits.connectTimeoutMs`. */
  readonly connectTimeoutMs?: number | undefined;
  /** Connections of one group end together: see {@link TcpProxy.cut}. One that fell back belongs to none any more. */
  readonly group?: string | undefined;
  /** Called exactly once, when the connection is over. Must not throw. */
  done?(outcome: TcpOutcome): void;
}

export type TcpRoute = (client: TcpClient) => TcpPlan;

/**
 * Why a connection did not end in order: a side broke off, `idle` and `drained` by the limits of those names, `cut` with its
 * group, or nobody could be reached.
 */
export type TcpBreak = "client" | "upstream" | "idle" | "cut" | "drained" | "unreachable";

export interface TcpOutcome {
  readonly fellBack: boolean;
  /** Why the first upstream did not take it, when it did not. */
  readonly failure?: Failure | undefined;
  readonly broken?: TcpBreak | undefined;
  /** From the client, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** Plain counters, added to as things happen. */
export interface TcpStats {
  connectionsOpen: number;
  connectionsTotal: number;
  /** Refused at `maxConnections`. */
  connectionsRefused: number;
  fallbacks: number;
  bytesIn: number;
  bytesOut: number;
}

export interface TcpProxy {
  readonly address: { readonly host: string; readonly port: number };
  /** What listens, so that it can be handed to another process. */
  readonly server: Server;
  readonly stats: Readonly<TcpStats>;
  /** Breaks off every connection of a group, and says how many there were. */
  cut(group: string): number;
  /** Stops accepting, lets connections end by themselves, and breaks off the rest after `graceMs`. */
  close(options?: { readonly graceMs?: number; readonly idleGraceMs?: number }): Promise<void>;
}
