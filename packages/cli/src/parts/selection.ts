import type { Config } from "../config/config.ts";
import { CliError } from "../errors.ts";

/** Which parts of a configuration one process runs. Services are names; those without `run` are never started. */
export interface Selection {
  readonly manager: boolean;
  readonly gateway: boolean;
  readonly agents: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

export const partNames = ["manager", "gateway", "agents", "services"] as const;
export type PartName = (typeof partNames)[number];

const none: ReadonlySet<string> = new Set();

/** Everything in the file but the parts that run elsewhere. */
export function everythingExcept(config: Config, except: readonly PartName[]): Selection {
  const names = new Set(config.services.map(({ name }) => name));
  return {
    manager: !except.includes("manager"),
    gateway: !except.includes("gateway") && config.gateway !== undefined,
    agents: except.includes("agents") ? none : names,
    services: except.includes("services") ? none : names,
  };
}

export const managerOnly: Selection = { manager: true, gateway: false, agents: none, services: none };

export function gatewayOnly(config: Config): Selection {
  if (config.gateway) return { manager: false, gateway: true, agents: none, services: none };
  throw new CliError("E_CONFIG_INVALID", `${config.file} has no gateway section`, {
    hint: "Add one: gateway: { listen: 127.0.0.1:8000, ingress: NAME OF A SERVICE }",
  });
}

/** The agents of the named services, or of all. */
export function agentsOnly(config: Config, asked: readonly string[]): Selection {
  const names = config.services.map(({ name }) => name);
  const unknown = asked.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new CliError("E_SERVICE_UNKNOWN", `${config.file} has no service ${unknown.join(", ")}`, {
      hint: `There are: ${names.join(", ")}`,
    });
  }
  return {
    manager: false,
    gateway: false,
    agents: new Set(asked.length > 0 ? asked : names),
    services: none,
  };
}
