import type { AgentInfo, ServiceInfo } from "@clew/control";
import type { Endpoint } from "@clew/tunnel";
import type { Core } from "./core.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { nearestName } from "./nearest-name.ts";
import { formatRecord, recordKey, type ServiceRecord } from "./records.ts";

export interface Services {
  list(): readonly ServiceInfo[];
  /** Throws `E_SERVICE_UNKNOWN`. */
  describe(service: string): ServiceInfo;
  /** Remembers what an agent says of its service, and counts it as watching until the returned function is called. */
  register(service: string, agent: AgentInfo): Promise<() => void>;
  /** The port that is meant: the named one, or the only one. Throws `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`. */
  resolvePort(service: string, port: string | undefined): string;
  /** Where the service's agent listens, for the relay. */
  resolve(service: string, port: string): Endpoint | undefined;
}

export function createServices(core: Core): Services {
  const { registry, directory, limits } = core;
  const { services, overrides } = directory.view;
  const watching = new Map<string, number>();

  const find = (name: string): ServiceRecord => {
    const record = services.get(name);
    if (!record) throw serviceUnknown(name, [...services.keys()]);
    return record;
  };

  const info = ({ name, ports, env }: ServiceRecord): ServiceInfo => ({
    name,
    ports,
    env,
    agents: watching.get(name) ?? 0,
    overrides: overrides.ofService(name).length,
  });

  const remember = async (record: ServiceRecord): Promise<void> => {
    const known = services.get(record.name);
    const value = formatRecord("services", record);
    if (known && formatRecord("services", known) === value) return;
    if (!known && services.size >= limits.maxServices) {
      throw limitReached(
        "maxServices",
        limits.maxServices,
        "services",
        "Raise the limit, or give agents fewer names.",
      );
    }
    const result = await registry.put(recordKey("services", record.name), value);
    if (result.ok) await directory.reached(result.revision);
  };

  return {
    list: () => [...services.values()].map(info).sort((a, b) => (a.name < b.name ? -1 : 1)),
    describe: (name) => info(find(name)),

    async register(service, { ports, env }) {
      await remember({ name: service, ports, env });
      watching.set(service, (watching.get(service) ?? 0) + 1);
      return () => {
        const left = (watching.get(service) ?? 1) - 1;
        if (left > 0) watching.set(service, left);
        else watching.delete(service);
      };
    },

    resolvePort(service, port) {
      const names = Object.keys(find(service).ports);
      const [only] = names;
      if (port === undefined && only !== undefined && names.length === 1) return only;
      if (port !== undefined && names.includes(port)) return port;
      const fault =
        port === undefined ? `has ${names.length} ports and none was named` : `has no port "${port}"`;
      throw new ManagerError("E_PORT_UNKNOWN", `Service ${service} ${fault}.`, {
        hint: `Its ports: ${names.join(", ")}.`,
        details: { service, ports: names },
      });
    },

    resolve(service, port) {
      const address = services.get(service)?.ports[port]?.address;
      return address === undefined ? undefined : parseAddress(address);
    },
  };
}

/** `host:port`, IPv6 in brackets. Undefined for anything else: an agent may say what it likes. */
function parseAddress(address: string): Endpoint | undefined {
  const at = address.lastIndexOf(":");
  const port = Number(address.slice(at + 1));
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  if (at <= 0 || host === "" || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

function serviceUnknown(name: string, known: readonly string[]): ManagerError {
  const near = nearestName(name, known);
  const list = known.length === 0 ? "none yet" : [...known].sort().join(", ");
  return new ManagerError(
    "E_SERVICE_UNKNOWN",
    `No agent has told of a service "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    {
      hint: `Services known: ${list}. A service is known once its agent has reached the manager.`,
      details: { service: name, known, ...(near === undefined ? undefined : { nearest: near }) },
    },
  );
}
