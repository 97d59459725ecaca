import { readFileSync } from "node:fs";
import { type Gateway, type GatewayOptions, type Ingress, startGateway } from "@clew/gateway";
import type { Logger } from "pino";
import { type Config, formatEndpoint } from "../config/config.ts";
import type { GatewayConfig } from "../config/gateway-section.ts";
import { CliError } from "../errors.ts";
import type { InheritedListeners } from "../processes/inherited.ts";

export interface GatewayStart {
  readonly config: Config;
  readonly manager: GatewayOptions["manager"];
  readonly log: Logger;
  /** What was inherited to listen on. */
  readonly inherited?: InheritedListeners | undefined;
  /** Another process serves until this one does, so there is time for the list of previews. */
  readonly isRelieving?: boolean | undefined;
}

/** How long a process that takes over waits for the list of previews. A manager that is there answers within milliseconds. */
const listWaitMs = 2_000;

/** Starts the gateway as clew.yaml says. */
export function runGateway({
  config,
  manager,
  log,
  inherited,
  isRelieving = false,
}: GatewayStart): Promise<Gateway> {
  const { gateway } = config;
  if (!gateway) throw new CliError("E_CONFIG_INVALID", `${config.file} has no gateway section`);
  const {
    listen,
    ingress,
    ingressHost,
    previews,
    previewUrl,
    accept,
    partners = {},
    limits: { clientStallTimeoutMs, ...limits } = {},
    accessLog,
  } = gateway;
  const ask = inherited && (() => inherited(formatEndpoint(listen)));
  return startGateway({
    listen: { ...listen, inherited: ask },
    ...(isRelieving ? { listWaitMs } : {}),
    tls: tlsOf(gateway),
    ingress: { ...agentOf(config, ingress), service: ingress, requestHost: ingressHost },
    ingresses: Object.fromEntries(
      Object.entries(gateway.ingresses ?? {}).map(([name, each]) => [name, ingressOf(config, name, each)]),
    ),
    previewsDomain: previews,
    previewUrl,
    accept: [...accept],
    partners: Object.entries(partners).map(([name, partner]) => ({ name, ...partner })),
    limits: Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined)),
    proxyLimits: clientStallTimeoutMs === undefined ? {} : { clientStallTimeoutMs },
    accessLog,
    manager,
    log,
  });
}

/** The agent in front of a service: its first port. */
function agentOf({ services }: Config, ingress: string): { host: string; port: number } {
  const [port] = Object.values(services.find(({ name }) => name === ingress)?.ports ?? {});
  if (port) return port.listen;
  throw new CliError("E_CONFIG_INVALID", `the gateway's ingress ${ingress} has no port`);
}

function ingressOf(
  config: Config,
  name: string,
  { service, url, host, ca }: NonNullable<GatewayConfig["ingresses"]>[string],
): Ingress {
  if (url === undefined) return { address: agentOf(config, service ?? name), requestHost: host };
  const { protocol, hostname, port } = new URL(url);
  const isTls = protocol === "https:";
  const address = {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (isTls ? 443 : 80) : Number(port),
  };
  // Whoever is elsewhere knows nothing of a preview's host.
  const requestHost = host ?? new URL(url).host;
  return { address, requestHost, tls: isTls ? { ca: ca && readAuthorities(ca) } : undefined };
}

function tlsOf({ tls }: GatewayConfig): GatewayOptions["tls"] {
  if (tls === undefined) return undefined;
  const [first, ...more] = tls.certificates.map(({ hosts = [], ...files }) => ({ ...files, hosts }));
  // The schema asks for one.
  return first && { certificates: [first, ...more], clientCa: tls.clientCa };
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new CliError("E_CONFIG_UNREADABLE", `cannot read the authorities in ${file}: ${String(cause)}`, {
      cause,
    });
  }
}
