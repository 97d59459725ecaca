import { once } from "node:events";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import type { RoutingKeys } from "@clew/control";
import type { Override, Target } from "@clew/routing";
import { type Echo, startUpstream, type Upstream } from "@clew/testing";
import pino, { type Logger } from "pino";
import type { AgentOptions, AgentPort } from "../agent-options.ts";
import { type Agent, startAgent } from "../start-agent.ts";
import { type FakeManager, startFakeManager } from "./fake-manager.ts";

/** An agent of `orders` that has its first table, with one port, its live service, somebody's own version of it, and a manager. */
export interface Fixture extends AsyncDisposable {
  readonly live: Upstream;
  readonly mine: Upstream;
  readonly manager: FakeManager;
  readonly agent: Agent;
  readonly port: number;
  /** Lines of the agent's log. */
  readonly logged: readonly LogLine[];
}

export async function startFixture(
  options: Partial<AgentOptions> = {},
  keys?: RoutingKeys,
): Promise<Fixture> {
  const live = await startUpstream({ name: "live" });
  const mine = await startUpstream({ name: "mine" });
  const manager = await startFakeManager("orders", keys);
  const { log, logged } = createLog();
  const agent = await startAgent({
    service: "orders",
    ports: { http: portOf(live) },
    env: { COLOUR: "blue" },
    manager: { url: manager.url },
    log,
    ...options,
  });
  if (options.manager === undefined) await agent.tableReceived;
  return {
    live,
    mine,
    manager,
    agent,
    port: agent.ports["http"]?.port ?? 0,
    logged,
    async [Symbol.asyncDispose]() {
      await agent.close({ graceMs: 0 });
      await Promise.all([live, mine, manager].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

export function portOf({ host, port }: Upstream): AgentPort {
  return { listen: { host: "127.0.0.1", port: 0 }, upstream: { host, port }, protocol: "auto" };
}

export interface LogLine {
  readonly event: string;
  readonly msg: string;
  readonly overrides?: number;
}

export function createLog(): { readonly log: Logger; readonly logged: readonly LogLine[] } {
  const logged: LogLine[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return { log, logged };
}

export function createOverride(target: Target | Upstream, changes: Partial<Override> = {}): Override {
  return {
    id: "o1",
    route: "mine",
    service: "orders",
    port: "http",
    target: "kind" in target ? target : { kind: "address", url: target.url },
    owner: "ann",
    createdAt: 1,
    onFailure: "live",
    ...changes,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Who answered, when it was one of the echoing upstreams. */
  readonly by: string | undefined;
  readonly echo: Echo;
}

export async function ask(
  port: number,
  headers: OutgoingHttpHeaders = {},
  path = "/",
  method = "GET",
): Promise<Answer> {
  const outgoing = request({ host: "127.0.0.1", port, path, method, headers, agent: false });
  outgoing.end();
  const [incoming] = await once(outgoing, "response");
  const body = await text(incoming);
  const isEcho = body.startsWith('{"upstream"');
  const echo = (isEcho ? JSON.parse(body) : {}) as Echo;
  return {
    status: incoming.statusCode,
    headers: incoming.headers,
    body,
    by: isEcho ? echo.upstream : undefined,
    echo,
  };
}

/** The header that carries a routing key. */
export const keyed: OutgoingHttpHeaders = { baggage: "clew-route=mine" };
