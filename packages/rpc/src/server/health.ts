import type { JsonObject } from "../envelope/document.ts";
import { RpcError } from "../rpc-error.ts";
import { type FunctionTable, statusFacts } from "./function-table.ts";

export interface ComponentHealth {
  readonly status: "healthy" | "degraded" | "unhealthy";
  readonly message?: string | undefined;
  /** ISO 8601, of the last check that went well. */
  readonly lastCheck?: string | undefined;
}

/** Nothing returned is healthy; what it throws makes the component unhealthy, without its text. */
export type ComponentCheck = () => ComponentHealth | undefined | Promise<ComponentHealth | undefined>;

/** What a load balancer's probe can wait for; a check that takes longer counts as unhealthy. */
const checkTimeoutMs = 2_000;

const severity = { healthy: 0, degraded: 1, unhealthy: 2 } as const;
type Status = keyof typeof severity;

/** Source: Forrst specification, system-functions "urn:cline:forrst:fn:health". */
export class Health {
  readonly #checks = new Map<string, ComponentCheck>();
  readonly #table: FunctionTable;

  constructor(table: FunctionTable) {
    this.#table = table;
  }

  /** Throws E_RPC_CONTRACT for a name that is taken. */
  addComponent(name: string, check: ComponentCheck): void {
    if (name === "self" || this.#checks.has(name)) {
      throw new RpcError("E_RPC_CONTRACT", `the component "${name}" is defined twice`);
    }
    this.#checks.set(name, check);
  }

  /** Throws NOT_FOUND for a component that does not exist. */
  async report(component: string | undefined, withDetails: boolean): Promise<JsonObject> {
    const timestamp = new Date().toISOString();
    // That this line runs is all that there is to know.
    if (component === "self" && !this.#checks.has("self")) return { status: "healthy", timestamp };
    const names = component === undefined ? [...this.#checks.keys()] : [component];
    const components = await Promise.all(names.map(async (name) => [name, await this.#run(name)] as const));
    const functions = component === undefined ? this.#functions() : [];
    const worst = worstOf([
      ...components.map(([, { status }]) => status),
      ...functions.map((): Status => "degraded"),
    ]);
    const details = {
      components: Object.fromEntries(components),
      ...(functions.length === 0 ? undefined : { functions: Object.fromEntries(functions) }),
    };
    return { status: worst, ...(withDetails ? details : undefined), timestamp };
  }

  async #run(name: string): Promise<JsonObject & { readonly status: Status }> {
    const check = this.#checks.get(name);
    if (check === undefined) {
      throw new RpcError("NOT_FOUND", `Unknown component ${name}`, {
        source: { pointer: "/call/arguments/component" },
        details: { component: name, components: ["self", ...this.#checks.keys()] },
      });
    }
    const startedAt = performance.now();
    const { status, message, lastCheck } = await within(checkTimeoutMs, check);
    const latency = { value: Math.round(performance.now() - startedAt), unit: "millisecond" };
    return {
      status,
      latency,
      ...(message === undefined ? undefined : { message }),
      ...(lastCheck === undefined ? undefined : { last_check: lastCheck }),
    };
  }

  #functions(): (readonly [string, JsonObject])[] {
    return [...this.#table.statuses()].map(([name, status]) => {
      const message = status.message === undefined ? undefined : { message: status.message };
      return [name, { status: status.status, ...message, ...statusFacts(status) }];
    });
  }
}

async function within(timeoutMs: number, check: ComponentCheck): Promise<ComponentHealth> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ComponentHealth>((resolve) => {
    const message = `no answer within ${timeoutMs} ms`;
    timer = setTimeout(() => resolve({ status: "unhealthy", message }), timeoutMs);
  });
  try {
    return (await Promise.race([check(), late])) ?? { status: "healthy" };
  } catch {
    // Its text may tell strangers about what is inside: the component's own log has it.
    return { status: "unhealthy", message: "the check failed" };
  } finally {
    clearTimeout(timer);
  }
}

function worstOf(statuses: readonly Status[]): Status {
  return statuses.reduce<Status>((worst, one) => (severity[one] > severity[worst] ? one : worst), "healthy");
}
