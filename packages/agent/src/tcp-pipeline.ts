import type { DecisionReport } from "@clew/control";
import type { TcpClient, TcpOutcome, TcpPlan, TcpRoute, Upstream } from "@clew/proxy";
import { type Decision, decide, type IndexedTable, type Override, type RoutableRequest } from "@clew/routing";
import type { AgentLimits } from "./agent-options.ts";
import type { ReportQueue } from "./report-queue.ts";
import type { OverrideUpstreams } from "./upstreams.ts";

export interface TcpPipelineOptions {
  readonly service: string;
  readonly agent: string;
  readonly port: string;
  readonly limits: Pick<AgentLimits, "reachTimeoutMs">;
  readonly live: Upstream;
  readonly overrides: OverrideUpstreams;
  readonly reports: ReportQueue;
  /** The newest table, as far as this port is concerned. */
  table(): IndexedTable;
  /** An override took a connection; and what became of it. */
  onTaken(override: Override, client: string): void;
  onOver(override: Override, client: string, outcome: TcpOutcome): void;
}

/** The life of a connection in an agent, where whole connections are routed: decided once, when it is accepted. */
export function createTcpPipeline(options: TcpPipelineOptions): TcpRoute {
  const { live, overrides, reports, limits } = options;
  const livePlan: TcpPlan = { upstream: live };

  return (client) => {
    const table = options.table();
    if (table.rules.length === 0) return livePlan;

    // One decision, from the one function (I6).
    const arrivedAtMs = performance.now();
    const decision = decide(asRequest(client), table);
    const decideUs = Math.round((performance.now() - arrivedAtMs) * 1_000);
    const { override } = decision;
    if (override === undefined) return livePlan;

    // The override, and the live service where it cannot be reached (I3). When the override ends, so does the connection:
    // half a conversation is of no use to anybody.
    const from = client.remoteAddress ?? "unknown";
    options.onTaken(override, from);
    return {
      upstream: overrides.of(override),
      fallback: override.onFailure === "error" ? undefined : live,
      connectTimeoutMs: limits.reachTimeoutMs,
      group: override.id,
      done(outcome) {
        reports.add(createReport({ ...options, client: from, decision, arrivedAtMs, decideUs }, outcome));
        options.onOver(override, from, outcome);
      },
    };
  };
}

const nothing = (): undefined => undefined;
const noKey: RoutableRequest["key"] = { status: "none" };

/** A connection has an address and nothing else to be asked about. */
function asRequest({ remoteAddress }: TcpClient): RoutableRequest {
  return { method: "", path: "", header: nothing, field: nothing, client: remoteAddress, key: noKey };
}

interface Told extends Pick<TcpPipelineOptions, "service" | "agent" | "port"> {
  readonly client: string;
  readonly decision: Decision;
  readonly decideUs: number;
  /** By `performance.now()`. */
  readonly arrivedAtMs: number;
}

function createReport(told: Told, outcome: TcpOutcome): DecisionReport {
  const { service, agent, port, client, decision, decideUs, arrivedAtMs } = told;
  return {
    service,
    agent,
    port,
    method: "TCP",
    path: "",
    client,
    broken: outcome.broken,
    atUs: Math.round((performance.timeOrigin + arrivedAtMs) * 1_000),
    destination: decision.destination,
    reason: decision.reason,
    rule: decision.rule?.id,
    override: decision.override?.id,
    owner: decision.override?.owner,
    fallback: outcome.fellBack ? (outcome.failure?.code ?? "E_UNKNOWN") : undefined,
    decideUs,
    durationMs: outcome.durationMs,
  };
}
