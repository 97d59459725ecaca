import { formatEndpoint } from "../config/config.ts";
import { resolveReferences } from "../config/references.ts";

export interface ServiceEnvironment {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** As the service declares it, with `{service.port}` references. */
  readonly declared: Readonly<Record<string, string>>;
  readonly propagate: boolean;
  addressOf(service: string, port: string): string | undefined;
}

/** Variables that Clew adds for a service: what it declares, where to listen, its name, and propagation. */
export function serviceEnvironment(
  { service, host, port, declared, propagate, addressOf }: ServiceEnvironment,
  inherited: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const own = {
    ...resolveReferences(declared, addressOf),
    HOST: host,
    PORT: String(port),
    CLEW_SERVICE: service,
  };
  if (!propagate) return own;
  const options = [inherited["NODE_OPTIONS"], `--import=${propagationModule()}`];
  return {
    ...own,
    NODE_OPTIONS: options.filter((option) => option !== undefined && option !== "").join(" "),
  };
}

/** URL of what `--import` loads, so that the service needs no dependency on it. */
function propagationModule(): string {
  return import.meta.resolve("@clew/node");
}

/** Addresses of the agents named in the configuration. */
export function configuredAddresses(
  services: ReadonlyArray<{
    readonly name: string;
    readonly ports: Readonly<
      Record<string, { readonly listen: { readonly host: string; readonly port: number } }>
    >;
  }>,
): (service: string, port: string) => string | undefined {
  return (service, port) => {
    const listen = services.find(({ name }) => name === service)?.ports[port]?.listen;
    return listen && formatEndpoint(listen);
  };
}
