import { isLoopbackHost } from "@clew/context";
import type { PortInfo } from "@clew/control";
import {
  type AnswerLimits,
  defaultWiretapLimits,
  type ListenAddress,
  maxHeldBytesOfAllTaps,
  type ProxyLimits,
  type TcpLimits,
  type WiretapLimits,
} from "@clew/proxy";
import type { DecideOptions } from "@clew/routing";
import type { Logger } from "pino";
import { AgentError } from "./agent-error.ts";

export interface Address {
  readonly host: string;
  /** When listening, 0 takes a free one. */
  readonly port: number;
}

export interface AgentPort {
  readonly listen: ListenAddress;
  /** The live service. */
  readonly upstream: Address;
  readonly protocol: PortInfo["protocol"];
  /** `host:port` at which others reach this agent. Default: where it listens, which is right on one machine. */
  readonly advertise?: string | undefined;
}

export interface AgentOptions {
  readonly service: string;
  /** By name, such as `http`. At least one. */
  readonly ports: Readonly<Record<string, AgentPort>>;
  /** The service's own environment, which the manager hands to developers who intercept it. */
  readonly env: Readonly<Record<string, string>>;
  readonly manager: { readonly url: string; readonly token?: string | undefined };
  /** The same for all processes that together are one agent. Default: one of this process alone. */
  readonly id?: string | undefined;
  /** Tells those processes apart, where they count. Default none. */
  readonly worker?: string | undefined;
  /**
   * How long the first table is waited for before the ports listen, where another process serves meanwhile. Default 0: the live
   * service answers until the table is there (I2).
   */
  readonly tableWaitMs?: number | undefined;
  /** Whether durations are measured for `Agent.metrics`. Default false: it costs each request a little. */
  readonly metrics?: boolean | undefined;
  /** Which requests are health checks, and so always live. */
  readonly health?: DecideOptions | undefined;
  readonly log: Logger;
  /** How long the live service's answers may take. An override's may take any time: somebody may sit at a breakpoint. Default none. */
  readonly answerLimits?: AnswerLimits | undefined;
  readonly limits?: Partial<AgentLimits> | undefined;
  readonly proxyLimits?: Partial<ProxyLimits> | undefined;
  /** Of ports whose protocol is `tcp`. */
  readonly tcpLimits?: Partial<TcpLimits> | undefined;
}

export interface AgentLimits {
  /** For reaching an override's destination before the live service takes the request (I3). Default 1,000. */
  readonly reachTimeoutMs: number;
  /** Reports of decisions kept until they are sent. At the limit new ones are dropped and counted. Default 1,000. */
  readonly maxQueuedReports: number;
  /** How long reports that nobody waits for are gathered. Default 1,000. */
  readonly reportIntervalMs: number;
  /** For one call with reports, so that a manager that hangs holds neither the queue nor the agent's end. Default 2,000. */
  readonly reportTimeoutMs: number;
  /** Of each wiretap. */
  readonly wiretap: WiretapLimits;
  /** Bytes that all wiretaps of the agent hold together. Default 8 MiB. */
  readonly maxHeldBytesOfAllTaps: number;
}

export const defaultAgentLimits: AgentLimits = {
  reachTimeoutMs: 1_000,
  maxQueuedReports: 1_000,
  reportIntervalMs: 1_000,
  reportTimeoutMs: 2_000,
  wiretap: defaultWiretapLimits,
  maxHeldBytesOfAllTaps,
};

/** Throws `E_AGENT_PORTS` without a port, and `E_AGENT_EXPOSED` when others could reach an agent that knows no token. */
export function checkAgentOptions(options: AgentOptions): void {
  const ports = Object.entries(options.ports);
  if (ports.length === 0) {
    throw new AgentError(
      "E_AGENT_PORTS",
      `service ${options.service} has no port, so its agent has nothing to do`,
      {
        hint: "Name at least one port of the service, with listen and upstream.",
      },
    );
  }
  if (options.manager.token !== undefined) return;
  for (const [name, { listen }] of ports) {
    if (isLoopbackHost(listen.host)) continue;
    throw new AgentError(
      "E_AGENT_EXPOSED",
      `port ${name} of ${options.service} would listen on ${listen.host}, which others can reach, but no manager token is set: ` +
        "anybody who reaches an open manager could send this service's requests to a machine of theirs",
      { hint: "Set the manager's token, or listen on 127.0.0.1." },
    );
  }
}
