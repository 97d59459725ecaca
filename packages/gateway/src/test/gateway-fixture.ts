import { once } from "node:events";
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { text } from "node:stream/consumers";
import type { Preview, RoutingKeys } from "@clew/control";
import { startUpstream, type Upstream, type UpstreamOptions, until } from "@clew/testing";
import pino, { type Logger } from "pino";
import type { GatewayOptions } from "../gateway-options.ts";
import { type Gateway, startGateway } from "../start-gateway.ts";
import { type FakeManager, type PublishedNotice, startFakeManager } from "./fake-manager.ts";

/** A gateway that has its first list, before one service, and a manager. */
export interface Fixture extends AsyncDisposable {
  readonly ingress: Upstream;
  readonly manager: FakeManager;
  readonly gateway: Gateway;
  readonly port: number;
}

export const silentLog: Logger = pino({ level: "silent" });

export async function startFixture(
  options: Partial<GatewayOptions> = {},
  upstream: UpstreamOptions = {},
  keys?: RoutingKeys,
  token?: string,
): Promise<Fixture> {
  const ingress = await startUpstream(upstream);
  const manager = await startFakeManager(keys);
  const gateway = await startGateway({
    listen: { host: "127.0.0.1", port: 0 },
    ingress: { host: ingress.host, port: ingress.port, service: "storefront" },
    accept: [],
    manager: { url: manager.url, token },
    log: silentLog,
    ...options,
  });
  if (options.manager === undefined) await gateway.previewsReceived;
  return {
    ingress,
    manager,
    gateway,
    port: gateway.address.port,
    async [Symbol.asyncDispose]() {
      await gateway.close({ graceMs: 0 });
      await Promise.all([ingress, manager].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

export function createPreview(slug: string, more: Partial<Preview> = {}): Preview {
  return {
    slug,
    route: "mine",
    key: "mine",
    owner: "ann",
    createdAt: 1,
    expiresAt: 3_600_001,
    remainingMs: 3_600_000,
    access: { kind: "public" },
    banner: true,
    replaces: [],
    ...more,
  };
}

let published = 0;

/** Has the manager say this, and waits until the gateway has heard it. */
export async function publish(
  { manager, port }: Pick<Fixture, "manager" | "port">,
  previews: readonly Preview[],
  more: PublishedNotice = {},
): Promise<void> {
  const marker = `marker-${published++}`;
  manager.publish([...previews, createPreview(marker)], more);
  const host = `${marker}.preview.localhost`;
  await until(async () => (await ask(port, { host }, "GET", "/_preview/-/status")).status === 200, {
    what: "the gateway to hear of it",
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What the ingress saw, by lower-case name in order, without hop-by-hop headers. */
  readonly seen: ReadonlyArray<readonly [name: string, value: string]>;
}

export async function ask(
  port: number,
  headers: OutgoingHttpHeaders = {},
  method = "GET",
  path = "/",
  sent?: string,
): Promise<Answer> {
  const outgoing = request({ host: "127.0.0.1", port, method, path, headers, agent: false });
  outgoing.end(sent);
  const [incoming] = await once(outgoing, "response");
  const body = await text(incoming);
  const seen = body.startsWith('{"upstream"') ? pairs(JSON.parse(body).rawHeaders) : [];
  return { status: incoming.statusCode, headers: incoming.headers, body, seen };
}

/** Headers of a request as the ingress saw them. */
export function pairs(rawHeaders: readonly string[]): Array<readonly [name: string, value: string]> {
  return rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() !== "connection"
      ? [[name.toLowerCase(), rawHeaders[at + 1] ?? ""] as const]
      : [],
  );
}

export function headerSeen(seen: Answer["seen"], name: string): string | undefined {
  const values = seen.filter(([other]) => other === name).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(" + ");
}
