import type { ProxyStats } from "../stats.ts";
import type { TcpStats } from "../tcp-types.ts";
import type { MetricFamily, Sample } from "./metrics.ts";

type Labels = Readonly<Record<string, string>>;

/** What a proxy counts, under `labels` that say which proxy it is. */
export function proxyMetrics(stats: Readonly<ProxyStats>, labels: Labels): MetricFamily[] {
  return [
    ...connectionMetrics(stats, labels),
    gauge("clew_requests_running", "Requests whose answer is not over.", labels, stats.requestsRunning),
    counter(
      "clew_answers_total",
      "Answers passed on or made here, by the class of their status; none: the exchange ended without one.",
      stats.answersByClass.map((value, index) => ({
        labels: { ...labels, class: index === 0 ? "none" : `${index}xx` },
        value,
      })),
    ),
    counter("clew_requests_total", "Requests that were read.", [{ labels, value: stats.requestsTotal }]),
    counter(
      "clew_refusals_total",
      "Requests refused before they were routed, by reason.",
      Object.entries(stats.refusals).map(([reason, value]) => ({ labels: { ...labels, reason }, value })),
    ),
    counter("clew_shed_total", "Requests answered with 503 at the limit of those at once.", [
      { labels, value: stats.shed },
    ]),
    counter("clew_upstream_connects_total", "Connections opened to upstreams.", [
      { labels, value: stats.upstreamConnects },
    ]),
    counter("clew_upstream_connect_failures_total", "Upstreams that could not be reached.", [
      { labels, value: stats.upstreamConnectFailures },
    ]),
    counter("clew_upstream_reuses_total", "Requests sent over a kept connection.", [
      { labels, value: stats.upstreamReuses },
    ]),
  ];
}

/** The same for whole connections, as far as it applies. */
export function tcpMetrics(stats: Readonly<TcpStats>, labels: Labels): MetricFamily[] {
  return connectionMetrics(stats, labels);
}

function connectionMetrics(stats: Readonly<ProxyStats> | Readonly<TcpStats>, labels: Labels): MetricFamily[] {
  return [
    gauge("clew_connections_open", "Clients' connections that are open.", labels, stats.connectionsOpen),
    counter("clew_connections_total", "Clients' connections that were accepted.", [
      { labels, value: stats.connectionsTotal },
    ]),
    counter("clew_connections_refused_total", "Connections closed at the limit of those at once.", [
      { labels, value: stats.connectionsRefused },
    ]),
    counter("clew_bytes_total", "Bytes from clients (in) and to them (out).", [
      { labels: { ...labels, direction: "in" }, value: stats.bytesIn },
      { labels: { ...labels, direction: "out" }, value: stats.bytesOut },
    ]),
    counter("clew_fallbacks_total", "What the live service took because an override could not.", [
      { labels, value: stats.fallbacks },
    ]),
  ];
}

function gauge(name: string, help: string, labels: Labels, value: number): MetricFamily {
  return { name, type: "gauge", help, samples: [{ labels, value }] };
}

function counter(name: string, help: string, samples: readonly Sample[]): MetricFamily {
  return { name, type: "counter", help, samples };
}
