/** Every bound of the manager (I8). What happens at one: the write is refused with `E_LIMIT`, unless said otherwise. */
export interface ManagerLimits {
  /** How long a session lives after its last sign of life. Default 15 s: three pings of the tunnel, so that two may be lost. */
  readonly sessionLeaseMs: number;
  /** How often each agent is told the remaining leases. Default 4 s: below the 5 s that routing promises, with room for a slow hop. */
  readonly leaseRefreshMs: number;
  /** Default 1,000: each costs one registry write every 5 s, which is what bounds it. */
  readonly maxSessions: number;
  /** Overrides, rules and wiretaps of one session together. Default 32: closing a session deletes them in one registry transaction (64 operations). */
  readonly maxOverridesPerSession: number;
  /** Agents whose counts are kept for one wiretap; those of more are not counted. Default 100: instances of one service. */
  readonly maxAgentsPerWiretap: number;
  /** Default 1,000: every gateway is sent the whole list at each change. */
  readonly maxPreviews: number;
  /** Lifetime of a preview for which none was asked. Default 24 h: a working day, and the reviewer in another time zone. */
  readonly previewDefaultMs: number;
  /** Longest lifetime of a preview. Default 30 days: a link in a ticket must not stay open for ever. */
  readonly previewMaxMs: number;
  /** Previews that ended and are remembered, so that their visitors are told how; the oldest is forgotten. Default 1,000. */
  readonly maxEndedPreviews: number;
  /** How long an ended preview is remembered. Default 7 days: a link in a ticket is opened after the weekend. */
  readonly endedPreviewMs: number;
  /** Default 20: more belongs into the ingress. */
  readonly maxPreviewHeaders: number;
  /** Bytes of a preview's headers, and of its fields as baggage. Default 2 KiB each: all previews together stay below the 10 MiB of one event. */
  readonly maxPreviewBytes: number;
  /** Visitors of one preview that are remembered; who came least recently goes first. Default 200: a team, and its curious neighbours. */
  readonly maxPreviewVisitors: number;
  /** Visitors of one preview that may be revoked. Default 100, which gateways are told with it; then give out another link. */
  readonly maxRevokedVisitors: number;
  /** How long visits gather before they are written. Default 5 s: one write for a visitor who clicks around. */
  readonly visitWriteMs: number;
  /** Lifetime of a routing key, where keys are signed and none was asked. Default 24 h: a working day, as for a preview. */
  readonly routingKeyDefaultMs: number;
  /** Longest lifetime of a routing key. Default 30 days, as a preview's: whoever may ask for one may make the other. */
  readonly routingKeyMaxMs: number;
  /** Services remembered. Default 1,000. */
  readonly maxServices: number;
  /** Nonces whose decisions are remembered; the one least recently reported goes first. Default 1,000. */
  readonly maxDecisionNonces: number;
  /** Decisions remembered for one nonce, and of all without one; the oldest goes first. Default 500: far more hops than a request makes. */
  readonly maxDecisionsPerNonce: number;
  /** How long a nonce's decisions are remembered after the last report. Default 10 min: somebody may sit at a breakpoint meanwhile. */
  readonly decisionRetentionMs: number;
  /** Decisions waiting for one slow watcher; past it the watch ends with `E_WATCH_BEHIND`. Default 1,000. */
  readonly maxDecisionsQueued: number;
  /** Connections of all kinds at once; more are closed unanswered. Default 4,096: agents, gateways and CLIs each keep a few. */
  readonly maxConnections: number;
  /** How long `close` lets running calls and tunnel streams finish. Default 5 s. */
  readonly closeGraceMs: number;
}

export const defaultManagerLimits: ManagerLimits = {
  sessionLeaseMs: 15_000,
  leaseRefreshMs: 4_000,
  maxSessions: 1_000,
  maxOverridesPerSession: 32,
  maxAgentsPerWiretap: 100,
  maxPreviews: 1_000,
  previewDefaultMs: 24 * 3_600_000,
  previewMaxMs: 30 * 24 * 3_600_000,
  maxEndedPreviews: 1_000,
  endedPreviewMs: 7 * 24 * 3_600_000,
  maxPreviewHeaders: 20,
  maxPreviewBytes: 2_048,
  maxPreviewVisitors: 200,
  maxRevokedVisitors: 100,
  visitWriteMs: 5_000,
  routingKeyDefaultMs: 24 * 3_600_000,
  routingKeyMaxMs: 30 * 24 * 3_600_000,
  maxServices: 1_000,
  maxDecisionNonces: 1_000,
  maxDecisionsPerNonce: 500,
  decisionRetentionMs: 600_000,
  maxDecisionsQueued: 1_000,
  maxConnections: 4_096,
  closeGraceMs: 5_000,
};
