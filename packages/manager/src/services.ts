import type { AgentInfo, ServiceInfo } from "@clew/control";
import type { Endpoint } from "@clew/tunnel";
import type { Core } from "./core.ts";
import { limitReached, ManagerError } from "./manager-error.ts";
import { nearestName } from "./nearest-name.ts";
import { formatRecord, recordKey, type ServiceRecord } from "./records.ts";

/** What agents told of their services. Kept when they leave: a service whose agent is away still exists. */
export class Services {
  readonly #core: Core;
  /** Watches of this manager's agents by service and agent: the processes of one agent watch each for itself. */
  readonly #watching = new Map<string, Map<string, number>>();

  constructor(core: Core) {
    this.#core = core;
  }

  list(): readonly ServiceInfo[] {
    const records = [...this.#core.directory.view.services.values()];
    return records.map((record) => this.#present(record)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws `E_SERVICE_UNKNOWN`. */
  describe(service: string): ServiceInfo {
    return this.#present(this.#find(service));
  }

  /** Remembers what an agent says of its service, and counts it as watching until the returned function is called. */
  async register(service: string, { id, ports, env }: AgentInfo): Promise<() => void> {
    await this.#remember({ name: service, ports, env });
    const agents = this.#watching.get(service) ?? new Map<string, number>();
    this.#watching.set(service, agents);
    agents.set(id, (agents.get(id) ?? 0) + 1);
    return () => {
      const left = (agents.get(id) ?? 1) - 1;
      if (left > 0) agents.set(id, left);
      else agents.delete(id);
    };
  }

  /** The port that is meant: the named one, or the only one. Throws `E_SERVICE_UNKNOWN`, `E_PORT_UNKNOWN`. */
  resolvePort(service: string, port: string | undefined): string {
    const names = Object.keys(this.#find(service).ports);
    const [only] = names;
    if (port === undefined && only !== undefined && names.length === 1) return only;
    if (port !== undefined && names.includes(port)) return port;
    const fault =
      port === undefined ? `has ${names.length} ports and none was named` : `has no port "${port}"`;
    throw new ManagerError("E_PORT_UNKNOWN", `Service ${service} ${fault}.`, {
      hint: `Its ports: ${names.join(", ")}.`,
      details: { service, ports: names },
    });
  }

  /** What a rule or an override for this port routes: requests, or whole connections. */
  trafficOf(service: string, port: string): "http" | "tcp" {
    return this.#find(service).ports[port]?.protocol === "tcp" ? "tcp" : "http";
  }

  /** Where the service's agent listens, for the relay. */
  resolve(service: string, port: string): Endpoint | undefined {
    const address = this.#core.directory.view.services.get(service)?.ports[port]?.address;
    return address === undefined ? undefined : parseAddress(address);
  }

  #find(name: string): ServiceRecord {
    const { services } = this.#core.directory.view;
    const record = services.get(name);
    if (!record) throw serviceUnknown(name, [...services.keys()]);
    return record;
  }

  #present({ name, ports, env }: ServiceRecord): ServiceInfo {
    const overrides = this.#core.directory.view.overrides.ofService(name).length;
    return { name, ports, env, agents: this.#watching.get(name)?.size ?? 0, overrides };
  }

  async #remember(record: ServiceRecord): Promise<void> {
    const { registry, directory, limits } = this.#core;
    const { services } = directory.view;
    const known = services.get(record.name);
    const value = formatRecord("services", record);
    if (known && formatRecord("services", known) === value) return;
    if (!known && services.size >= limits.maxServices) {
      throw limitReached(
        "maxServices",
        limits.maxServices,
        "services",
        "Raise it, or give agents fewer names.",
      );
    }
    const result = await registry.put(recordKey("services", record.name), value);
    if (result.ok) await directory.reached(result.revision);
  }
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
