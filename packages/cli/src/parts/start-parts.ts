import type { Server } from "node:net";
import type { Gateway } from "@clew/gateway";
import { createEtcdRegistry, createMemoryRegistry, type RegistryReport, startManager } from "@clew/manager";
import { type MetricFamily, proxyMetrics, sumMetrics } from "@clew/proxy";
import { type Config, formatEndpoint, type ServiceConfig } from "../config/config.ts";
import { packageVersion } from "../package-version.ts";
import { startGuard } from "../processes/guard.ts";
import { superviseService } from "../processes/supervised-service.ts";
import { checkAddresses, waitForListener } from "./addresses.ts";
import { type Drain, stopDrain } from "./drain.ts";
import { describeReport } from "./registry-report.ts";
import { type AgentsStart, runAgents } from "./run-agents.ts";
import { runGateway } from "./run-gateway.ts";

/** How long a service may take to end by itself before it is killed. */
const serviceGraceMs = 3_000;
/** A service that does not listen by then is reported; it may still come. */
const serviceStartMs = 30_000;

export interface StartOptions extends Omit<AgentsStart, "manager"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  onServiceLine(service: string, line: string): void;
}

export interface Parts {
  /** What agents listen on, by address as configured, for a process that takes over. */
  readonly servers: ReadonlyMap<string, Server>;
  /** Services that do not listen yet, though their time is up. */
  readonly late: readonly string[];
  /** What all of them have counted. */
  metrics(): MetricFamily[];
  /** Takes up what has changed on disk, where there is something that may. */
  readonly reload: (() => void) | undefined;
  /** Ends everything, in the order in which nobody loses a request. */
  stop(drain?: Drain): Promise<void>;
}

type Stop = (drain: Drain) => Promise<void>;

/** Starts the selected parts; if one fails, those already running are stopped again. */
export async function startParts(options: StartOptions): Promise<Parts> {
  const { config, selection } = options;
  if (options.inherited === undefined && options.worker === undefined) {
    await checkAddresses(config, selection);
  }
  const stops: Stop[] = [];
  const stop = async (drain: Drain = stopDrain): Promise<void> => {
    for (const each of stops.toReversed()) await each(drain);
  };
  try {
    if (selection.manager) stops.push(await runManager(options));
    const { late, stop: stopServices } = await runServices(options);
    stops.push(stopServices);
    const agents = await runAgents({ ...options, manager: managerOf(config) });
    stops.push(agents.stop);
    const gateway = selection.gateway ? await startTheGateway(options) : undefined;
    if (gateway) stops.push(({ graceMs }) => gateway.close({ graceMs }));
    const metrics = (): MetricFamily[] =>
      sumMetrics([
        ...agents.all.map((agent) => agent.metrics()),
        ...(gateway === undefined ? [] : [proxyMetrics(gateway.stats, { service: "", port: "gateway" })]),
      ]);
    return { servers: agents.servers, late, metrics, reload: reloadOf(config, gateway), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function runManager({ config, log, onProgress }: StartOptions): Promise<Stop> {
  const { listen, registry: kind, state, token } = config.manager;
  const registryLog = log.child({ component: "registry" });
  const onReport = (report: RegistryReport): void => {
    registryLog.warn({ event: `registry.${report.kind}`, ...report }, describeReport(report));
  };
  const registry =
    kind === "memory"
      ? await createMemoryRegistry({ directory: state, onReport })
      : await createEtcdRegistry({ endpoints: [...kind.etcd], prefix: kind.prefix, onReport });
  try {
    const manager = await startManager({
      listen,
      advertise: config.manager.advertise,
      environment: config.environment,
      registry,
      version: packageVersion(),
      ...(token === undefined ? {} : { token }),
      routingKeys: config.manager.routingKeys,
      log: log.child({ component: "manager" }),
    });
    onProgress(`manager listens on ${formatEndpoint(listen)}`);
    return async ({ graceMs }) => {
      await manager.close({ graceMs });
      await registry.close();
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}

async function runServices(options: StartOptions): Promise<{ late: string[]; stop: Stop }> {
  const { config, selection, env, log, onServiceLine, onProgress } = options;
  const chosen = config.services.filter(({ name, run }) => run !== undefined && selection.services.has(name));
  if (chosen.length === 0) return { late: [], stop: async () => {} };
  const guard = startGuard();
  const running = chosen.map((service) =>
    superviseService({
      service,
      services: config.services,
      env,
      guard,
      log: log.child({ component: service.name }),
      onLine: (line) => onServiceLine(service.name, line),
    }),
  );
  const late = await lateServices(chosen, onProgress);
  return {
    late,
    stop: async () => {
      await Promise.all(running.map((service) => service.stop(serviceGraceMs)));
      guard.close();
    },
  };
}

/** Waits until every port of every service accepts, up to the limit; names the services that do not. */
async function lateServices(
  services: readonly ServiceConfig[],
  onProgress: (text: string) => void,
): Promise<string[]> {
  const signal = AbortSignal.timeout(serviceStartMs);
  const late: string[] = [];
  await Promise.all(
    services.map(async ({ name, ports }) => {
      const listening = await Promise.all(
        Object.values(ports).map(({ upstream }) => waitForListener(upstream, signal)),
      );
      if (listening.every(Boolean)) onProgress(`${name} is running`);
      else late.push(name);
    }),
  );
  return late.toSorted();
}

async function startTheGateway({ config, log, onProgress }: StartOptions): Promise<Gateway> {
  const manager = managerOf(config);
  const gateway = await runGateway({ config, manager, log: log.child({ component: "gateway" }) });
  onProgress(`gateway listens on ${formatEndpoint(gateway.address)}`);
  return gateway;
}

/** Certificates and a log file are other programs' to renew and to move. */
function reloadOf(config: Config, gateway: Gateway | undefined): Parts["reload"] {
  const { tls, accessLog } = config.gateway ?? {};
  const hasFiles = tls !== undefined || (accessLog !== undefined && accessLog !== "stdout");
  return gateway && hasFiles ? () => gateway.reload() : undefined;
}

function managerOf({ manager }: Config): { url: string; token?: string } {
  const url = `http://${manager.advertise}`;
  return manager.token === undefined ? { url } : { url, token: manager.token };
}
