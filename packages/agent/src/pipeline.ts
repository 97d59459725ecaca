import type { RoutingKeyMode } from "@clew/context";
import type { HeaderEdits, Outcome, Plan, Route, Upstream } from "@clew/proxy";
import { type DecideOptions, decide, type IndexedTable } from "@clew/routing";
import type { AgentLimits } from "./agent-options.ts";
import { createReport, formatDecision, type Told } from "./explanation.ts";
import { failedOverrideAnswer } from "./failed-override.ts";
import type { PortHistograms } from "./port-metrics.ts";
import type { ReportQueue } from "./report-queue.ts";
import { mentions, RoutedRequest } from "./routed-request.ts";
import type { OverrideUpstreams } from "./upstreams.ts";
import type { Wiretaps } from "./wiretaps.ts";

export interface PipelineOptions {
  readonly service: string;
  readonly agent: string;
  readonly port: string;
  readonly health: DecideOptions | undefined;
  readonly limits: Pick<AgentLimits, "reachTimeoutMs">;
  readonly live: Upstream;
  readonly overrides: OverrideUpstreams;
  readonly wiretaps: Pick<Wiretaps, "of">;
  /** Durations, where somebody wants them. */
  readonly histograms: PortHistograms | undefined;
  readonly reports: ReportQueue;
  /** Which routing keys are believed now. */
  keys(): RoutingKeyMode;
  /** The newest table, as far as this port is concerned. */
  table(): IndexedTable;
}

/** The life of a request in an agent, stage by stage. The proxy has read its head, and forwards it by the plan returned. */
export function createPipeline(options: PipelineOptions): Route {
  const { live, overrides, reports, limits, health, histograms } = options;
  // One plan for all requests that nothing selects: they leave as they came, but for hop-by-hop headers (I1).
  const livePlan: Plan =
    histograms === undefined
      ? { upstream: live }
      : { upstream: live, done: ({ durationMs }) => histograms.live.observe(durationMs / 1_000) };

  return (head) => {
    const table = options.table();

    // No field of Clew's own, so neither key nor wish for an explanation; no rule, and nobody who wants a copy of everything: only
    // live is possible. Most requests end here, with no context parsed, however many overrides the table has.
    if (table.rules.length === 0 && table.taps.length === 0 && !mentions(head, "clew-")) return livePlan;

    // Context, lazily: parsed only where a key, a rule's condition or an explanation needs it.
    const arrivedAtMs = performance.now();
    const request = new RoutedRequest(head, options.keys());

    // One decision, from the one function (I6). Keys are checked before, so that it stays pure.
    const decision = decide(request, table, health);
    const decideUs = Math.round((performance.now() - arrivedAtMs) * 1_000);
    histograms?.decision.observe(decideUs / 1_000_000);

    // Copies for those who listen. An upgrade is none: its answer is half of what follows.
    const taps = head.upgrade === undefined ? options.wiretaps.of(decision.wiretaps) : undefined;

    // Live and not asked about: nobody wants to hear of it.
    const nonce = request.explainNonce;
    const { override } = decision;
    if (override === undefined && nonce === undefined) {
      return decision.wiretaps.length === 0 ? livePlan : { ...livePlan, taps };
    }

    // Report, when the exchange is over. Queued, so that no request waits for the manager (I2).
    const told: Told = { ...options, head, request, decision, nonce, decideUs, arrivedAtMs };
    const done = (outcome: Outcome): void => {
      histograms?.[decision.destination].observe(outcome.durationMs / 1_000);
      reports.add(createReport(told, outcome));
    };

    // The explanation goes with the answer, to whoever sent the nonce.
    const explained: Pick<Plan, "responseHeaders"> =
      nonce === undefined ? {} : { responseHeaders: ({ fellBack }) => explain(told, fellBack) };
    if (override === undefined) return { upstream: live, taps, ...explained, done };

    // Plan: the override, and the live service where it cannot be reached (I3). No limit waits for an answer,
    // since somebody may sit at a breakpoint.
    return {
      upstream: overrides.of(override),
      taps,
      fallback: override.onFailure === "error" ? undefined : live,
      connectTimeoutMs: limits.reachTimeoutMs,
      failed: (failure) => failedOverrideAnswer(override, failure, nonce === undefined ? undefined : told),
      ...explained,
      done,
    };
  };
}

/** A decision that came with the answer, from an agent further on, makes room: the first agent's is the caller's. */
function explain(told: Told, fellBack: boolean): HeaderEdits {
  return { remove: ["clew-decision"], set: [["clew-decision", formatDecision(told, fellBack)]] };
}
