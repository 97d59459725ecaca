import type { Server } from "node:net";
import type { Gateway } from "@clew/gateway";
import { type MetricFamily, proxyMetrics, sumMetrics } from "@clew/proxy";
import { type Config, formatEndpoint } from "../config/config.ts";
import { checkAddresses } from "./addresses.ts";
import { type Drain, stopDrain } from "./drain.ts";
import type { Agents, AgentsStart } from "./run-agents.ts";

// Each part is loaded only where it runs: an agent alone is to be light.

export interface StartOptions extends Omit<AgentsStart, "manager"> {
  readonly env: Readonly<Record<string, string | undefined>>;
  onServiceLine(service: string, line: string): void;
}

export interface Parts {
  /** What agents and the gateway listen on, by address as configured, for a process that takes over. */
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
    if (selection.manager) stops.push(await (await import("./run-manager.ts")).runManager(options));
    const services =
      selection.services.size > 0
        ? await (await import("./run-services.ts")).runServices(options)
        : undefined;
    if (services) stops.push(services.stop);
    const agents = selection.agents.size > 0 ? await startAgents(options) : undefined;
    if (agents) stops.push(agents.stop);
    const gateway = selection.gateway ? await startTheGateway(options) : undefined;
    if (gateway) stops.push((drain) => gateway.close(drain));
    const metrics = (): MetricFamily[] =>
      sumMetrics([
        ...(agents?.all ?? []).map((agent) => agent.metrics()),
        ...(gateway === undefined ? [] : [proxyMetrics(gateway.stats, { service: "", port: "gateway" })]),
      ]);
    const servers = new Map(agents?.servers);
    if (gateway && config.gateway) servers.set(formatEndpoint(config.gateway.listen), gateway.server);
    return { servers, late: services?.late ?? [], metrics, reload: reloadOf(config, gateway), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAgents(options: StartOptions): Promise<Agents> {
  const { runAgents } = await import("./run-agents.ts");
  return runAgents({ ...options, manager: managerOf(options.config) });
}

async function startTheGateway(options: StartOptions): Promise<Gateway> {
  const { config, log, onProgress } = options;
  const manager = managerOf(config);
  const { runGateway } = await import("./run-gateway.ts");
  const gateway = await runGateway({ ...options, manager, log: log.child({ component: "gateway" }) });
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
