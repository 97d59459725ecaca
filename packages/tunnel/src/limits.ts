/** Every bound of this package (I8). Times are in ms, sizes in bytes. */
export interface TunnelLimits {
  /** Bytes in flight on one stream. 1 MiB fills 15 MB/s at 50 ms; more makes small requests wait behind big ones. */
  readonly streamWindowBytes: number;
  /** Bytes in flight on one connection: many streams at full window, so that a slow one does not hold back the rest. */
  readonly connectionWindowBytes: number;
  /** What Node may hold for one HTTP/2 connection, in MiB. Node's 10 refuses streams at a few hundred busy ones. */
  readonly maxSessionMemoryMiB: number;
  /** Streams on one session's *in* connection, and its *out* streams; the next one is refused. A browser opens tens. */
  readonly maxStreamsPerSession: number;
  /** Streams on one connection between an agent and a relay, for all sessions together. */
  readonly maxStreamsPerConnection: number;
  /** Streams that one peer may reset per second before Node ends the connection. Node 24 only: 20 has 33, fixed. */
  readonly maxResetsPerSecond: number;
  /** Time between two pings: a third of a session's lease of 15 s. */
  readonly pingIntervalMs: number;
  /** Silent intervals after which a connection is dead. Two: one lost ping is no proof, and a lease is three. */
  readonly maxMissedPings: number;
  /** An unanswered ping this old makes new streams be refused at once, since reaching a destination has 1 s in all. */
  readonly suspectAfterMs: number;
  /** For a TCP connection to the manager or relay and its HTTP handshake. */
  readonly dialTimeoutMs: number;
  /** For a stream until its far end is connected, where the caller gives no shorter limit. */
  readonly openTimeoutMs: number;
  /** For `authenticate()`: above the manager client's own deadline of 10 s. */
  readonly authenticateTimeoutMs: number;
  /** First wait before reconnecting; doubles, with full jitter. */
  readonly minBackoffMs: number;
  /** Longest wait before reconnecting: below a lease, so that a session survives a manager's restart. */
  readonly maxBackoffMs: number;
  /** A connection that lived so long starts the backoff anew. */
  readonly stableAfterMs: number;
  /** For the first bytes of a connection on a shared port. As Node's HTTP server waits far longer, this is never the one that is felt. */
  readonly sniffTimeoutMs: number;
  /** How long a close waits for running streams when its caller names no time. */
  readonly closeGraceMs: number;
}

export const defaultTunnelLimits: TunnelLimits = {
  streamWindowBytes: 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  maxSessionMemoryMiB: 128,
  maxStreamsPerSession: 1_000,
  maxStreamsPerConnection: 10_000,
  maxResetsPerSecond: 1_000,
  pingIntervalMs: 5_000,
  maxMissedPings: 2,
  suspectAfterMs: 1_000,
  dialTimeoutMs: 3_000,
  openTimeoutMs: 5_000,
  authenticateTimeoutMs: 15_000,
  minBackoffMs: 100,
  maxBackoffMs: 5_000,
  stableAfterMs: 10_000,
  sniffTimeoutMs: 10_000,
  closeGraceMs: 5_000,
};
