import { startTcpProxy, tcpUpstream } from "@clew/proxy";
import { indexTable, type Override, type Table } from "@clew/routing";
import type { AgentPort } from "./agent-options.ts";
import { type Core, noTable, type PortAgent, warnOfUnusable } from "./port-agent.ts";
import { createTcpPipeline } from "./tcp-pipeline.ts";
import { createOverrideUpstreams } from "./upstreams.ts";

/** One port of raw TCP: as `startPort`, for whole connections. */
export async function startTcpPort(core: Core, name: string, port: AgentPort): Promise<PortAgent> {
  const { id, options, limits, dialer, reports } = core;
  const { service, log } = options;
  const overrides = createOverrideUpstreams(dialer);
  let indexed = indexTable(core.table() ?? noTable(service), name);
  /** Overrides that rules of the last table selected, by id. */
  let selected: ReadonlyMap<string, Override> = new Map();
  const proxy = await startTcpProxy({
    listen: port.listen,
    limits: options.tcpLimits,
    route: createTcpPipeline({
      service,
      agent: id,
      port: name,
      limits,
      live: tcpUpstream(port.upstream.host, port.upstream.port),
      overrides,
      reports,
      table: () => indexed,
      onTaken: (override, client) =>
        log.info(
          {
            event: "agent.connection_taken",
            port: name,
            client,
            override: override.id,
            owner: override.owner,
          },
          "A connection goes to an override.",
        ),
      onOver: (override, client, { broken, fellBack, bytesIn, bytesOut, durationMs }) =>
        log.info(
          {
            event: "agent.connection_over",
            port: name,
            client,
            override: override.id,
            owner: override.owner,
            broken,
            fellBack,
            bytesIn,
            bytesOut,
            durationMs,
          },
          "A connection that an override had is over.",
        ),
    }),
    onError: (error) =>
      log.error({ event: "agent.fault", port: name, err: error }, "A connection met a fault of the agent."),
  });
  const cutEnded = (ended: Override): void => {
    const count = proxy.cut(ended.id);
    if (count === 0) return;
    log.warn(
      { event: "agent.connections_cut", port: name, override: ended.id, owner: ended.owner, count },
      `An override of ${ended.owner} has ended, and the ${count} connections that it had with it.`,
    );
  };
  return {
    name,
    proxy,
    stats: proxy.stats,
    use(table: Table) {
      indexed = indexTable(table, name);
      warnOfUnusable(log, indexed);
      const now = new Map(indexed.rules.map(({ compiled: { rule } }) => [rule.override.id, rule.override]));
      const ended = [...selected.values()].filter(({ id: override }) => !now.has(override));
      selected = now;
      overrides.keepOnly([...now.values()]);
      for (const override of ended) cutEnded(override);
    },
  };
}
