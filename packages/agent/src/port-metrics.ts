import { Histogram, type MetricFamily, proxyMetrics, sumMetrics, tcpMetrics } from "@clew/proxy";
import type { PortAgent } from "./port-agent.ts";

/** How long requests of one port took, by where they went, and decisions. Fed only where metrics are wanted. */
export interface PortHistograms {
  readonly live: Histogram;
  readonly override: Histogram;
  readonly decision: Histogram;
}

export function createPortHistograms(): PortHistograms {
  return { live: new Histogram(), override: new Histogram(), decision: new Histogram() };
}

/** What an agent counts, of all its ports. */
export function agentMetrics(
  service: string,
  ports: readonly PortAgent[],
  state: { readonly revision: number; readonly isConnected: boolean },
): MetricFamily[] {
  const labels = { service };
  return sumMetrics([
    [
      {
        name: "clew_manager_connected",
        type: "gauge",
        help: "1 while the agent hears from a manager; without one it goes on with its last table.",
        samples: [{ labels, value: state.isConnected ? 1 : 0 }],
      },
      {
        name: "clew_table_revision",
        type: "gauge",
        help: "Revision of the table that is in use; 0 before the first one.",
        samples: [{ labels, value: state.revision }],
      },
    ],
    ...ports.map((port) => portMetrics(service, port)),
  ]);
}

function portMetrics(service: string, { name, stats, wiretaps, histograms }: PortAgent): MetricFamily[] {
  const labels = { service, port: name };
  if (!("requestsTotal" in stats)) return tcpMetrics(stats, labels);
  const counts = wiretaps?.counts() ?? [];
  const sum = (of: "copied" | "dropped"): number => counts.reduce((all, each) => all + each[of], 0);
  return [
    ...proxyMetrics(stats, labels),
    {
      name: "clew_wiretap_copies_total",
      type: "counter",
      help: "Copies for wiretaps that are in the table, by what became of them.",
      samples: [
        { labels: { ...labels, outcome: "copied" }, value: sum("copied") },
        { labels: { ...labels, outcome: "dropped" }, value: sum("dropped") },
      ],
    },
    ...(histograms === undefined ? [] : histogramMetrics(histograms, labels)),
  ];
}

function histogramMetrics(
  { live, override, decision }: PortHistograms,
  labels: Readonly<Record<string, string>>,
): MetricFamily[] {
  return [
    {
      name: "clew_request_duration_seconds",
      type: "histogram",
      help: "From a request's head to the end of its answer, by where it was decided to go.",
      samples: [
        ...live.samples({ ...labels, destination: "live" }),
        ...override.samples({ ...labels, destination: "override" }),
      ],
    },
    {
      name: "clew_decision_duration_seconds",
      type: "histogram",
      help: "Deciding about a request that something could select.",
      samples: decision.samples(labels),
    },
  ];
}
