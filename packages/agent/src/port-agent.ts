import type { BelievedKeys } from "@clew/control";
import {
  type Proxy as PortProxy,
  type ProxyStats,
  startProxy,
  type TcpStats,
  tcpUpstream,
  type WiretapBudget,
} from "@clew/proxy";
import { type IndexedTable, indexTable, type Table } from "@clew/routing";
import type { SessionDialer } from "@clew/tunnel";
import type { Logger } from "pino";
import type { AgentLimits, AgentOptions, AgentPort } from "./agent-options.ts";
import { createPipeline } from "./pipeline.ts";
import { createPortHistograms, type PortHistograms } from "./port-metrics.ts";
import type { ReportQueue } from "./report-queue.ts";
import { createOverrideUpstreams } from "./upstreams.ts";
import { createWiretaps, type Wiretaps } from "./wiretaps.ts";

/** What the parts of one agent share. */
export interface Core {
  readonly id: string;
  readonly options: AgentOptions;
  readonly limits: AgentLimits;
  readonly dialer: SessionDialer;
  readonly reports: ReportQueue;
  readonly keys: BelievedKeys;
  /** The newest table, if there is one, for ports that start after it came. */
  table(): Table | undefined;
  /** What all wiretaps together may hold. */
  readonly tapBudget: WiretapBudget;
}

/** One port: its listener, and what it takes over from a new table. */
export interface PortAgent {
  readonly name: string;
  readonly proxy: Pick<PortProxy, "address" | "server" | "close">;
  /** What its proxy has counted. */
  readonly stats: Readonly<ProxyStats> | Readonly<TcpStats>;
  /** Absent where whole connections pass. */
  readonly wiretaps?: Wiretaps;
  /** Absent where metrics are not wanted. */
  readonly histograms?: PortHistograms | undefined;
  use(table: Table): void;
}

export async function startPort(core: Core, name: string, port: AgentPort): Promise<PortAgent> {
  const { id, options, limits, dialer, reports, keys } = core;
  const { service, health, log } = options;
  const overrides = createOverrideUpstreams(dialer);
  const wiretaps = createWiretaps(dialer, core.tapBudget, limits.wiretap);
  const histograms = options.metrics === true ? createPortHistograms() : undefined;
  let indexed = indexTable(noTable(service), name);
  const index = (table: Table): void => {
    wiretaps.use(table.wiretaps.filter(({ port: tapped }) => tapped === name));
    indexed = indexTable(table, name);
    warnOfUnusable(log, indexed);
  };
  const known = core.table();
  if (known !== undefined) index(known);
  const proxy = await startProxy({
    listen: port.listen,
    limits: options.proxyLimits,
    route: createPipeline({
      service,
      agent: id,
      port: name,
      health,
      limits,
      live: tcpUpstream(port.upstream.host, port.upstream.port, options.answerLimits),
      overrides,
      wiretaps,
      histograms,
      reports,
      keys: () => keys.mode,
      table: () => indexed,
    }),
    onError: (error) =>
      log.error({ event: "agent.fault", port: name, err: error }, "A request met a fault of the agent."),
  });
  return {
    name,
    proxy,
    stats: proxy.stats,
    wiretaps,
    histograms,
    use(table) {
      index(table);
      const wanted = [...table.overrides, ...table.rules.map((rule) => rule.override)];
      for (const key of overrides.keepOnly(wanted)) proxy.retire(key);
    },
  };
}

/** Before there is one. */
export function noTable(service: string): Table {
  return { revision: 0, service, overrides: [], rules: [], wiretaps: [] };
}

export function warnOfUnusable(log: Logger, { unusable }: IndexedTable): void {
  for (const { rule, error } of unusable) {
    log.warn(
      { event: "agent.rule_unusable", rule: rule.id, err: error },
      "A rule cannot be read here and matches nothing.",
    );
  }
}
