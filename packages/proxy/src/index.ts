export type { RequestReport } from "./events.ts";
export { defaultLimits, type ProxyLimits } from "./limits.ts";
export { type Inherited, type Listen, type ListenAddress, listenOn } from "./listener.ts";
export { Histogram } from "./metrics/histogram.ts";
export {
  formatMetrics,
  type MetricFamily,
  metricsMediaType,
  type Sample,
  sumMetrics,
} from "./metrics/metrics.ts";
export { proxyMetrics, tcpMetrics } from "./metrics/proxy-metrics.ts";
export { type ProxyOptions, startProxy } from "./proxy.ts";
export { ProxyError } from "./proxy-error.ts";
export type { ProxyStats } from "./stats.ts";
export { defaultTcpLimits, type TcpLimits } from "./tcp-limits.ts";
export { startTcpProxy, type TcpProxyOptions } from "./tcp-proxy.ts";
export type {
  TcpBreak,
  TcpClient,
  TcpOutcome,
  TcpPlan,
  TcpProxy,
  TcpRoute,
  TcpStats,
} from "./tcp-types.ts";
export { tcpUpstream } from "./tcp-upstream.ts";
export type {
  AnswerHead,
  AnswerLimits,
  Failure,
  HeaderEdits,
  LocalAnswer,
  Outcome,
  Plan,
  Proxy,
  RequestHead,
  Route,
  Upstream,
} from "./types.ts";
export {
  createWiretap,
  defaultWiretapLimits,
  maxHeldBytesOfAllTaps,
  type Tap,
  type TapStream,
  type Wiretap,
  type WiretapBudget,
  type WiretapDrop,
  type WiretapLimits,
  type WiretapStats,
} from "./wiretap.ts";
