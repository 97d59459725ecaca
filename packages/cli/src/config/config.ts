import type { RoutingKeys, ServiceInfo } from "@clew/control";
import type { Endpoint } from "@clew/tunnel";
import type { GatewayConfig } from "./gateway-section.ts";
import type { ServiceLimitsSection } from "./schema.ts";

export interface PortConfig {
  readonly listen: Endpoint;
  readonly upstream: Endpoint;
  readonly protocol: ServiceInfo["ports"][string]["protocol"];
}

export interface ServiceConfig {
  readonly name: string;
  readonly run: string | undefined;
  /** Absolute. */
  readonly cwd: string;
  readonly propagate: boolean;
  /** With `{service.port}` as it stands in the file. */
  readonly env: Readonly<Record<string, string>>;
  readonly limits: ServiceLimitsSection;
  readonly ports: Readonly<Record<string, PortConfig>>;
}

/** clew.yaml with defaults filled in, addresses parsed and paths absolute. */
export interface Config {
  readonly file: string;
  readonly environment: string;
  readonly manager: {
    readonly listen: Endpoint;
    readonly state: string;
    readonly registry: "memory" | { readonly etcd: readonly string[]; readonly prefix: string };
    readonly token: string | undefined;
    readonly tokenFile: string | undefined;
    readonly routingKeys: RoutingKeys["mode"];
    /** `host:port` at which agents, developers and the gateway reach the manager. */
    readonly advertise: string;
  };
  readonly gateway: GatewayConfig | undefined;
  /** Where metrics and probes are answered, if anywhere. */
  readonly metrics: Endpoint | undefined;
  readonly services: readonly ServiceConfig[];
  /** Commands that `clew up` suggests when everything runs. */
  readonly welcome: readonly string[] | undefined;
}

/** Parses `host:port`, the host of an IPv6 address in brackets. The schema has checked the form. */
export function parseEndpoint(text: string): Endpoint {
  const colon = text.lastIndexOf(":");
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(text.slice(colon + 1)) };
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
