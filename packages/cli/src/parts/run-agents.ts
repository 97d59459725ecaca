import type { Server } from "node:net";
import { type Agent, type AgentOptions, startAgent } from "@clew/agent";
import type { Logger } from "pino";
import { type Config, formatEndpoint, type ServiceConfig } from "../config/config.ts";
import type { InheritedListeners } from "../processes/inherited.ts";
import { type Drain, stopDrain } from "./drain.ts";
import type { Selection } from "./selection.ts";

/** How long a process that takes over waits for its agents' tables. A manager that is there answers within milliseconds. */
const tableWaitMs = 2_000;

export interface AgentsStart {
  readonly config: Config;
  readonly selection: Selection;
  readonly manager: AgentOptions["manager"];
  readonly log: Logger;
  /** What was inherited to listen on. Addresses that are taken are then no fault. */
  readonly inherited?: InheritedListeners | undefined;
  /** Another process serves until this one does, so there is time for agents to get their table first. */
  readonly isRelieving?: boolean | undefined;
  /** Of a worker: names the agents that all workers are, and tells this one apart. */
  readonly worker?: { readonly seed: string; readonly name: string } | undefined;
  onProgress(text: string): void;
}

export interface Agents {
  readonly all: readonly Agent[];
  /** What they listen on, by address as configured. */
  readonly servers: ReadonlyMap<string, Server>;
  stop(drain: Drain): Promise<void>;
}

/** Starts the agents of the selected services; if one fails, the others are stopped again. */
export async function runAgents(options: AgentsStart): Promise<Agents> {
  const { config, selection, onProgress } = options;
  const chosen = config.services.filter(({ name }) => selection.agents.has(name));
  const all: Agent[] = [];
  const servers = new Map<string, Server>();
  const stop = async (drain: Drain): Promise<void> => {
    await Promise.all(all.map((agent) => agent.close(drain)));
  };
  try {
    for (const service of chosen) {
      const agent = await runAgent(options, service);
      all.push(agent);
      for (const [name, server] of Object.entries(agent.servers)) {
        const listen = service.ports[name]?.listen;
        if (listen !== undefined) servers.set(formatEndpoint(listen), server);
      }
    }
  } catch (error) {
    await stop(stopDrain);
    throw error;
  }
  if (chosen.length > 0) onProgress(`${chosen.length} agents listen`);
  return { all, servers, stop };
}

function runAgent(
  { config, manager, log, inherited, isRelieving = false, worker }: AgentsStart,
  { name, ports, env, limits }: ServiceConfig,
): Promise<Agent> {
  const inheriting = Object.entries(ports).map(([port, { listen, ...rest }]) => {
    const ask = inherited && (() => inherited(formatEndpoint(listen)));
    return [port, { ...rest, listen: { ...listen, inherited: ask } }] as const;
  });
  const { clientStallTimeoutMs, ...answerLimits } = limits;
  return startAgent({
    service: name,
    ports: Object.fromEntries(inheriting),
    env,
    manager,
    metrics: config.metrics !== undefined,
    answerLimits,
    proxyLimits: clientStallTimeoutMs === undefined ? {} : { clientStallTimeoutMs },
    log: log.child({ component: `${name} agent` }),
    ...(worker === undefined ? {} : { id: `${name}-${worker.seed}`, worker: worker.name }),
    ...(isRelieving ? { tableWaitMs } : {}),
  });
}
