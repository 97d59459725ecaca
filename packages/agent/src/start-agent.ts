import { randomUUID } from "node:crypto";
import { type AgentInfo, createManagerClient, type PortInfo, watchTable } from "@clew/control";
import { type Proxy as PortProxy, startProxy, tcpUpstream } from "@clew/proxy";
import { type IndexedTable, indexTable, type Table } from "@clew/routing";
import { createSessionDialer, type SessionDialer } from "@clew/tunnel";
import {
  type Address,
  type AgentLimits,
  type AgentOptions,
  type AgentPort,
  checkAgentOptions,
  defaultAgentLimits,
} from "./agent-options.ts";
import { createPipeline } from "./pipeline.ts";
import { createReportQueue, type ReportQueue } from "./report-queue.ts";
import { createOverrideUpstreams } from "./upstreams.ts";

export interface Agent {
  readonly id: string;
  /** Where each port listens. */
  readonly ports: Readonly<Record<string, Address>>;
  /** Resolves with the first table. Until then, for ever without a manager, the live service answers everything (I2). */
  readonly tableReceived: Promise<void>;
  /** Stops accepting, lets running requests end within `graceMs`, and leaves the manager. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** What the parts of one agent share. */
interface Core {
  readonly id: string;
  readonly options: AgentOptions;
  readonly limits: AgentLimits;
  readonly dialer: SessionDialer;
  readonly reports: ReportQueue;
}

/** One port: its listener, and what it takes over from a new table. */
interface PortAgent {
  readonly name: string;
  readonly proxy: PortProxy;
  use(table: Table): void;
}

/**
 * Starts a listener for each port of one service, and keeps watching the service's table.
 * Rejects with `E_AGENT_PORTS`, `E_AGENT_EXPOSED`, or the proxy's error when a port is taken; nothing is left open then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  checkAgentOptions(options);
  const { service, manager, log } = options;
  const id = `${service}-${randomUUID().slice(0, 8)}`;
  const limits: AgentLimits = { ...defaultAgentLimits, ...options.limits };
  const client = createManagerClient({ url: manager.url, token: manager.token, service });
  const dialer = createSessionDialer({ token: manager.token, agent: id });
  const reports = createReportQueue({
    client,
    limits,
    onDropped: (count, error) =>
      log.warn({ event: "agent.reports_dropped", count, err: error }, "Reports of decisions were lost."),
  });
  const core: Core = { id, options, limits, dialer, reports };

  const ports = await startPorts(core).catch((error: unknown) => {
    dialer.close();
    client.close();
    throw error;
  });

  const stop = new AbortController();
  const tableReceived = watch(core, client, ports, stop.signal);
  log.info(
    { event: "agent.started", agent: id, ports: addressesOf(ports) },
    `The agent of ${service} serves.`,
  );
  return {
    id,
    ports: addressesOf(ports),
    tableReceived,
    async close(closeOptions) {
      stop.abort();
      await Promise.all(ports.map((port) => port.proxy.close(closeOptions)));
      await reports.close();
      dialer.close();
      client.close();
      log.info({ event: "agent.closed", agent: id }, `The agent of ${service} has ended.`);
    },
  };
}

async function startPorts(core: Core): Promise<readonly PortAgent[]> {
  const entries = Object.entries(core.options.ports);
  const starts = await Promise.allSettled(entries.map(([name, port]) => startPort(core, name, port)));
  const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const failed = starts.find((start) => start.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map(({ proxy }) => proxy.close({ graceMs: 0 })));
  throw failed.reason;
}

async function startPort(core: Core, name: string, port: AgentPort): Promise<PortAgent> {
  const { id, options, limits, dialer, reports } = core;
  const { service, openMode, health, log } = options;
  const overrides = createOverrideUpstreams(dialer);
  let indexed: IndexedTable = indexTable(
    { revision: 0, service, overrides: [], rules: [], wiretaps: [] },
    name,
  );
  const proxy = await startProxy({
    listen: port.listen,
    limits: options.proxyLimits,
    route: createPipeline({
      service,
      agent: id,
      port: name,
      openMode,
      health,
      limits,
      live: tcpUpstream(port.upstream.host, port.upstream.port),
      overrides,
      reports,
      table: () => indexed,
    }),
    onError: (error) =>
      log.error({ event: "agent.fault", port: name, err: error }, "A request met a fault of the agent."),
  });
  return {
    name,
    proxy,
    use(table) {
      indexed = indexTable(table, name);
      for (const { rule, error } of indexed.unusable) {
        log.warn(
          { event: "agent.rule_unusable", rule: rule.id, err: error },
          "A rule cannot be read here and matches nothing.",
        );
      }
      const wanted = [...table.overrides, ...table.rules.map((rule) => rule.override)];
      for (const key of overrides.keepOnly(wanted)) proxy.retire(key);
    },
  };
}

/** Watches until `signal` aborts. Resolves with the first table. */
function watch(
  core: Core,
  client: ReturnType<typeof createManagerClient>,
  ports: readonly PortAgent[],
  signal: AbortSignal,
): Promise<void> {
  const { options } = core;
  const { service, log, manager } = options;
  let hasTable = false;
  let wasUp: boolean | undefined;
  return new Promise((resolve) => {
    watchTable({
      client,
      service,
      agent: describe(core, ports),
      signal,
      onChange(table) {
        for (const port of ports) port.use(table);
        hasTable = true;
        resolve();
        log.debug(
          { event: "agent.table", revision: table.revision, overrides: table.overrides.length },
          "A new table is in use.",
        );
      },
      onConnection(isUp, error) {
        if (isUp === wasUp) return;
        wasUp = isUp;
        if (isUp)
          log.info({ event: "agent.manager_connected", manager: manager.url }, "The manager is connected.");
        else {
          const until = hasTable ? "the last table stays in use" : "the live service answers everything";
          log.warn(
            { event: "agent.manager_lost", manager: manager.url, err: error },
            `No manager: ${until} until it is back.`,
          );
        }
      },
    });
  });
}

function describe(core: Core, ports: readonly PortAgent[]): AgentInfo {
  const { id, options } = core;
  const infos = ports.map(({ name, proxy }): readonly [string, PortInfo] => {
    const { host, port } = proxy.address;
    const own = options.ports[name];
    const address = own?.advertise ?? `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return [name, { address, protocol: own?.protocol ?? "auto" }];
  });
  return { id, ports: Object.fromEntries(infos), env: options.env };
}

function addressesOf(ports: readonly PortAgent[]): Readonly<Record<string, Address>> {
  return Object.fromEntries(ports.map(({ name, proxy }) => [name, proxy.address]));
}
