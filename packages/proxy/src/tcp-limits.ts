/** Every limit of raw TCP (I8). Times are in ms. */
export interface TcpLimits {
  /** Reaching an upstream, when its plan does not say. Default 1,000, as for requests. */
  readonly connectTimeoutMs: number;
  /**
   * A connection on which nothing passes either way; then it is broken off, between this and a quarter more. Default 3,600,000,
   * an hour: pools keep connections to databases idle for long, and common TCP proxies give them as much.
   */
  readonly idleTimeoutMs: number;
  /** Silence after which the kernel asks whether the other machine is still there. Default 60,000: found long before `idleTimeoutMs`. */
  readonly keepAliveProbeMs: number;
  /** Clients' connections at once. Default 10,000. One more is closed as soon as it is accepted. */
  readonly maxConnections: number;
  /** What runs when the proxy closes. Default 5,000: below the 10 s that containers get to stop. */
  readonly drainGraceMs: number;
}

export const defaultTcpLimits: TcpLimits = {
  connectTimeoutMs: 1_000,
  idleTimeoutMs: 3_600_000,
  keepAliveProbeMs: 60_000,
  maxConnections: 10_000,
  drainGraceMs: 5_000,
};
