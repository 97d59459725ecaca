/** Every limit of the data plane (I8). Times are in ms; 0 is "none" only where it says so. */
export interface ProxyLimits {
  /**
   * Reaching an upstream, when its plan does not say. Default 1,000: far above a round trip, and the longest that a
   * request is held up by a destination that is not there (docs/reference/routing.md).
   */
  readonly connectTimeoutMs: number;
  /** Head of a request or an answer. Default 32 KiB: what common servers accept at most. Answered with 431. */
  readonly maxHeadBytes: number;
  /** One line of a head. Default 16 KiB: what common servers take of a whole head. Answered with 431. */
  readonly maxLineBytes: number;
  /** From the first byte of a connection or of a further request to the end of its head. Default 30,000. Answered with 408. */
  readonly headersTimeoutMs: number;
  /**
   * A request's body of which nothing comes, while nothing here holds it back and no answer has begun. Default 60,000: as
   * common servers. Answered with 408. Without it, clients that send nothing would cost a connection for ever.
   */
  readonly bodyIdleTimeoutMs: number;
  /** For a whole request, body included. Default 0, none: an upload or a stream may last, and the service has its own limit. */
  readonly requestTimeoutMs: number;
  /** A client's connection between two requests. Default 65,000: load balancers give up at 60 s, and the client should close first. */
  readonly clientIdleTimeoutMs: number;
  /**
   * A client that takes nothing of what is written to it; then its connection is broken off. Default 0, none: somebody may sit at
   * a breakpoint in a browser, and `maxConnections` bounds what that costs. To be set where clients are strangers.
   */
  readonly clientStallTimeoutMs: number;
  /** What is still read and dropped of a request's body after its answer. Default 30,000; then the connection is broken off. */
  readonly lingerTimeoutMs: number;
  /** Clients' connections at once. Default 10,000. One more is closed as soon as it is accepted. */
  readonly maxConnections: number;
  /**
   * Requests at once. Default 10,000: none is shed before `maxConnections` is reached, as each connection has one at a time. One
   * more is answered with 503 and `retry-after`.
   */
  readonly maxRequests: number;
  /**
   * Held of requests that a client sends before it has the answer to an earlier one. Default 64 KiB; what is beyond waits with
   * the client.
   */
  readonly maxPipelinedBytes: number;
  /** Held of a request's body, so that it can be sent again (I3). Default 64 KiB. A longer body is never sent twice. */
  readonly replayBufferBytes: number;
  /**
   * An upstream's connection between two requests. Default 4,000: shorter than the 5 s after which common servers close one, since
   * a request that meets that close may not be repeated. An upstream's own `Keep-Alive: timeout` makes it shorter still.
   */
  readonly upstreamIdleTimeoutMs: number;
  /**
   * Writes to upstreams in a second from which those of one turn of the event loop are made together. Default 10,000, where turns
   * begin to have several; below, it would only cost. 0: always.
   */
  readonly busyWritesPerSecond: number;
  /** Idle connections kept per upstream. Default 256. One more is closed. */
  readonly maxIdlePerUpstream: number;
  /** What runs when the proxy closes. Default 5,000: below the 10 s that containers get to stop. */
  readonly drainGraceMs: number;
}

export const defaultLimits: ProxyLimits = {
  connectTimeoutMs: 1_000,
  maxHeadBytes: 32 * 1024,
  maxLineBytes: 16 * 1024,
  headersTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 60_000,
  requestTimeoutMs: 0,
  clientIdleTimeoutMs: 65_000,
  clientStallTimeoutMs: 0,
  lingerTimeoutMs: 30_000,
  maxConnections: 10_000,
  maxRequests: 10_000,
  maxPipelinedBytes: 64 * 1024,
  replayBufferBytes: 64 * 1024,
  upstreamIdleTimeoutMs: 4_000,
  busyWritesPerSecond: 10_000,
  maxIdlePerUpstream: 256,
  drainGraceMs: 5_000,
};
