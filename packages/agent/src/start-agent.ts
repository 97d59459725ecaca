import { randomUUID } from "node:crypto";
import type { Server } from "node:net";
import {
  type AgentInfo,
  BelievedKeys,
  createManagerClient,
  type ManagerClient,
  type PortInfo,
  watchTable,
} from "@clew/control";
import type { MetricFamily } from "@clew/proxy";
import type { Table } from "@clew/routing";
import {
  type Address,
  type AgentLimits,
  type AgentOptions,
  checkAgentOptions,
  defaultAgentLimits,
} from "./agent-options.ts";
import { createLazyDialer } from "./lazy-dialer.ts";
import { type Core, type PortAgent, startPort } from "./port-agent.ts";
import { agentMetrics } from "./port-metrics.ts";
import { createReportQueue } from "./report-queue.ts";
import { startTcpPort } from "./tcp-port-agent.ts";
import { startWiretapReports, type WiretapReports } from "./wiretaps.ts";

export interface Agent {
  readonly id: string;
  /** Where each port listens. */
  readonly ports: Readonly<Record<string, Address>>;
  /** What listens, by port, so that it can be handed to another process. */
  readonly servers: Readonly<Record<string, Server>>;
  /** Resolves with the first table. Until then, for ever without a manager, the live service answers everything (I2). */
  readonly tableReceived: Promise<void>;
  /** What it has counted, for whoever exports it. Durations only with `AgentOptions.metrics`. */
  metrics(): MetricFamily[];
  /** Stops accepting, lets running requests end within `graceMs`, and leaves the manager. See `Proxy.close`. */
  close(options?: { readonly graceMs?: number; readonly idleGraceMs?: number }): Promise<void>;
}

/**
 * Starts a listener for each port of one service, and keeps watching the service's table.
 * Rejects with `E_AGENT_PORTS`, `E_AGENT_EXPOSED`, or the proxy's error when a port is taken; nothing is left open then.
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  checkAgentOptions(options);
  const { service, manager, log } = options;
  const id = options.id ?? `${service}-${randomUUID().slice(0, 8)}`;
  const limits: AgentLimits = { ...defaultAgentLimits, ...options.limits };
  const client = createManagerClient({ url: manager.url, token: manager.token, service });
  const dialer = createLazyDialer({ token: manager.token, agent: id });
  const reports = createReportQueue({
    client,
    limits,
    onDropped: (count, error) =>
      log.warn({ event: "agent.reports_dropped", count, err: error }, "Reports of decisions were lost."),
  });
  const tapBudget = { heldBytes: 0, maxHeldBytes: limits.maxHeldBytesOfAllTaps };
  const tables = new TableHolder();
  const core: Core = {
    id,
    options,
    limits,
    dialer,
    reports,
    keys: new BelievedKeys({ plain: true }),
    tapBudget,
    table: () => tables.latest,
  };
  const stop = new AbortController();
  const { tableWaitMs = 0 } = options;
  // Only where each address is known beforehand can the manager be told of it before it is listened on.
  if (tableWaitMs > 0) {
    watch(core, client, { tables, addresses: configuredAddresses(options), signal: stop.signal });
    await withinMs(tables.received, tableWaitMs);
  }
  const ports = await startPorts(core).catch((error: unknown) => {
    stop.abort();
    dialer.close();
    client.close();
    throw error;
  });
  tables.tellTo(ports);
  if (tableWaitMs === 0) {
    watch(core, client, { tables, addresses: addressesOf(ports), signal: stop.signal });
  }
  const tapReports = reportWiretaps(core, client, ports);
  log.info(
    { event: "agent.started", agent: id, ports: addressesOf(ports) },
    `The agent of ${service} serves.`,
  );
  return {
    id,
    ports: addressesOf(ports),
    servers: Object.fromEntries(ports.map(({ name, proxy }) => [name, proxy.server])),
    tableReceived: tables.received,
    metrics: () =>
      agentMetrics(service, ports, {
        revision: tables.latest?.revision ?? 0,
        isConnected: tables.isConnected,
      }),
    async close(closeOptions) {
      stop.abort();
      await Promise.all(ports.map((port) => port.proxy.close(closeOptions)));
      tapReports.close();
      for (const port of ports) port.wiretaps?.close();
      await reports.close();
      dialer.close();
      client.close();
      log.info({ event: "agent.closed", agent: id }, `The agent of ${service} has ended.`);
    },
  };
}

function reportWiretaps(core: Core, client: ManagerClient, ports: readonly PortAgent[]): WiretapReports {
  const { id, limits, options } = core;
  return startWiretapReports({
    intervalMs: limits.reportIntervalMs,
    counts: () => ports.flatMap((port) => port.wiretaps?.counts() ?? []),
    report: (wiretaps) =>
      client.wiretaps.report(
        { agent: options.worker === undefined ? id : `${id}/${options.worker}`, wiretaps },
        { timeoutMs: limits.reportTimeoutMs },
      ),
    onDropped: (wiretap, count, why) =>
      options.log.warn(
        { event: "agent.copies_dropped", wiretap: wiretap.id, owner: wiretap.owner, count, why },
        `Copies for the wiretap of ${wiretap.owner} were dropped.`,
      ),
  });
}

async function startPorts(core: Core): Promise<readonly PortAgent[]> {
  const entries = Object.entries(core.options.ports);
  const starts = await Promise.allSettled(
    entries.map(([name, port]) =>
      port.protocol === "tcp" ? startTcpPort(core, name, port) : startPort(core, name, port),
    ),
  );
  const started = starts.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  const failed = starts.find((start) => start.status === "rejected");
  if (failed === undefined) return started;
  await Promise.all(started.map(({ proxy }) => proxy.close({ graceMs: 0 })));
  throw failed.reason;
}

/** The newest table, and the ports that are to use it. */
class TableHolder {
  readonly received: Promise<void>;
  latest: Table | undefined;
  /** Whether a manager is there to tell of the next one. */
  isConnected = false;
  #ports: readonly PortAgent[] = [];
  #resolve: () => void = () => {};

  constructor() {
    this.received = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  use(table: Table): void {
    this.latest = table;
    for (const port of this.#ports) port.use(table);
    this.#resolve();
  }

  tellTo(ports: readonly PortAgent[]): void {
    this.#ports = ports;
    if (this.latest !== undefined) for (const port of ports) port.use(this.latest);
  }
}

interface Watched {
  readonly tables: TableHolder;
  readonly addresses: Readonly<Record<string, Address>>;
  readonly signal: AbortSignal;
}

/** Watches until `signal` aborts. */
function watch(core: Core, client: ManagerClient, { tables, addresses, signal }: Watched): void {
  const { options } = core;
  const { service, log, manager } = options;
  watchTable({
    client,
    service,
    agent: describe(core, addresses),
    signal,
    onKeys(keys) {
      core.keys.use(keys);
      log.info(
        { event: "agent.keys", mode: keys.mode, keyIds: Object.keys(keys.publicKeys) },
        "The manager says which routing keys are believed.",
      );
    },
    onChange(table) {
      tables.use(table);
      log.debug(
        { event: "agent.table", revision: table.revision, overrides: table.overrides.length },
        "A new table is in use.",
      );
    },
    onConnection(isUp, err) {
      tables.isConnected = isUp;
      if (isUp) {
        log.info({ event: "agent.manager_connected", manager: manager.url }, "The manager is connected.");
        return;
      }
      const hasTable = tables.latest !== undefined;
      const until = hasTable ? "the last table stays in use" : "the live service answers everything";
      log.warn(
        { event: "agent.manager_lost", manager: manager.url, err },
        `No manager: ${until} until it is back.`,
      );
    },
  });
}

function describe({ id, options }: Core, addresses: Readonly<Record<string, Address>>): AgentInfo {
  const infos = Object.entries(addresses).map(([name, { host, port }]): readonly [string, PortInfo] => {
    const own = options.ports[name];
    const address = own?.advertise ?? `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return [name, { address, protocol: own?.protocol ?? "auto" }];
  });
  return { id, ports: Object.fromEntries(infos), env: options.env };
}

function addressesOf(ports: readonly PortAgent[]): Readonly<Record<string, Address>> {
  return Object.fromEntries(ports.map(({ name, proxy }) => [name, proxy.address]));
}

function configuredAddresses({ ports }: AgentOptions): Readonly<Record<string, Address>> {
  return Object.fromEntries(Object.entries(ports).map(([name, { listen }]) => [name, listen]));
}

/** Resolves with the promise, or when the time is up. */
async function withinMs(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}
