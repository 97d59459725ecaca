/** What a proxy has done since it started: plain counters, read by whoever exports them. Bytes are those of clients' connections. */
export interface ProxyStats {
  connectionsOpen: number;
  connectionsTotal: number;
  /** Refused because of `maxConnections`. */
  connectionsRefused: number;
  requestsRunning: number;
  requestsTotal: number;
  /** Answers passed on or made here, by the first digit of their status; index 0 are exchanges that ended without one. */
  readonly answersByClass: [number, number, number, number, number, number];
  bytesIn: number;
  bytesOut: number;
  /** Requests refused before they were routed, by the reason (a fault's name, a limit's name). */
  readonly refusals: Record<string, number>;
  fallbacks: number;
  upstreamConnects: number;
  upstreamConnectFailures: number;
  upstreamReuses: number;
  /** Answered with 503 because of `maxRequests`. */
  shed: number;
}

export function countRefusal({ refusals }: ProxyStats, reason: string): void {
  refusals[reason] = (refusals[reason] ?? 0) + 1;
}

export function createStats(): ProxyStats {
  return {
    connectionsOpen: 0,
    connectionsTotal: 0,
    connectionsRefused: 0,
    requestsRunning: 0,
    requestsTotal: 0,
    answersByClass: [0, 0, 0, 0, 0, 0],
    bytesIn: 0,
    bytesOut: 0,
    refusals: {},
    fallbacks: 0,
    upstreamConnects: 0,
    upstreamConnectFailures: 0,
    upstreamReuses: 0,
    shed: 0,
  };
}
