// @ts-check
// Stands for the manager: says each watching agent the table of its service, which can be changed. It is not measured, and
// the real one would make 10,000 overrides only for hundreds of sessions that want to be kept alive.
import { EventEmitter, on, once } from "node:events";
import { createServer as createHttpServer, request } from "node:http";
import { api } from "@clew/control";
import { createServer } from "@clew/rpc";
import { until } from "@clew/testing";

export const manyOverrides = 10_000;

/** Until an agent uses a table that was said: many times what 10,000 overrides take on a busy machine. */
const tableTimeoutMs = 30_000;

/**
 * Overrides of routes that none of the loads' requests carries.
 * @param {string} service @param {number} count @param {number} port Where they lead.
 */
function overridesOf(service, count, port) {
  return Array.from({ length: count }, (_, index) => ({
    id: `override-${index}`,
    route: `route-${index}`,
    service,
    port: "http",
    target: /** @type {const} */ ({ kind: "address", url: `http://127.0.0.1:${port}` }),
    owner: `developer-${index % 100}`,
    createdAt: 1_000 + index,
    onFailure: /** @type {const} */ ("live"),
  }));
}

/** @typedef {Awaited<ReturnType<typeof startTableSource>>} TableSource */

/** @param {number} port Where it listens, and where overrides lead: nothing of the loads goes there. */
export async function startTableSource(port) {
  const changes = new EventEmitter().setMaxListeners(0);
  /** @type {Map<string, { revision: number, overrides: ReturnType<typeof overridesOf> }>} */
  const tables = new Map();
  const keys = /** @type {const} */ ({ mode: "open", environment: "bench", publicKeys: {} });
  const snapshot = (/** @type {string} */ service) => {
    const { revision = 1, overrides = [] } = tables.get(service) ?? {};
    const table = { revision, service, overrides, rules: [], wiretaps: [] };
    return /** @type {const} */ ({ kind: "snapshot", table, leases: {}, keys });
  };
  const rpc = createServer({ service: "manager" })
    .implementStream(api.tables.watch, async function* ({ service }, { signal }) {
      const changed = on(changes, service, { signal });
      yield snapshot(service);
      for await (const _ of changed) yield snapshot(service);
    })
    .implement(api.decisions.report, () => ({}));
  const server = createHttpServer((incoming, response) => rpc.handle(incoming, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");

  return {
    port,
    /**
     * Gives a service's table so many overrides, and waits until the agent uses it.
     * @param {string} service @param {number} agentPort @param {number} count
     */
    async use(service, agentPort, count) {
      const revision = (tables.get(service)?.revision ?? 0) + 1;
      tables.set(service, { revision, overrides: overridesOf(service, count, port) });
      changes.emit(service);
      // A route of the last override is known only to the larger table; a key without one goes to the live service.
      const isUsed = async () => {
        const decision = await askDecision(agentPort, `route-${manyOverrides - 1}`);
        return count === manyOverrides
          ? decision?.startsWith("override")
          : decision?.includes("route-elsewhere");
      };
      await until(isUsed, { timeoutMs: tableTimeoutMs, what: `the agent has ${count} overrides` });
    },
    async close() {
      await rpc.close();
      server.closeAllConnections();
      server.close();
    },
  };
}

/** @param {number} port @param {string} route @returns {Promise<string | undefined>} The header in which an agent explains itself. */
async function askDecision(port, route) {
  const headers = { baggage: `clew-route=${route},clew-explain=bench` };
  const outgoing = request({ host: "127.0.0.1", port, path: "/small", headers, agent: false }).end();
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  return incoming.headers["clew-decision"];
}
