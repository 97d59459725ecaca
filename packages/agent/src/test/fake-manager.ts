import { EventEmitter, on, once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type AgentInfo,
  api,
  type DecisionReport,
  type Leases,
  type RoutingKeys,
  type WiretapCounts,
} from "@clew/control";
import type { Override, Rule, Table } from "@clew/routing";
import { createServer } from "@clew/rpc";

/** A manager that knows one service's table, can be stopped and started again on its port, and keeps what is reported. */
export interface FakeManager extends AsyncDisposable {
  readonly url: string;
  /** Whoever watched, in order. */
  readonly agents: readonly AgentInfo[];
  readonly reports: readonly DecisionReport[];
  /** What agents told of wiretaps, the newest last. */
  readonly tapReports: ReadonlyArray<ReadonlyArray<WiretapCounts & { readonly id: string }>>;
  publish(
    change: {
      readonly overrides?: readonly Override[];
      readonly rules?: readonly Rule[];
      readonly wiretaps?: readonly Override[];
    },
    leases?: Leases,
  ): void;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startFakeManager(service: string, keys?: RoutingKeys): Promise<FakeManager> {
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const agents: AgentInfo[] = [];
  const reports: DecisionReport[] = [];
  const tapReports: Array<ReadonlyArray<WiretapCounts & { readonly id: string }>> = [];
  let table: Table = { revision: 1, service, overrides: [], rules: [], wiretaps: [] };
  let leases: Leases = {};
  let port = 0;
  let running: { http: Server; end: () => Promise<void> } | undefined;

  const start = async (): Promise<void> => {
    const rpc = createServer({ service: "manager", checkResults: true })
      .implementStream(api.tables.watch, async function* ({ agent }, { signal }) {
        agents.push(agent);
        const changed = on(changes, "table", { signal });
        yield { kind: "snapshot", table, leases, keys } as const;
        for await (const _ of changed) yield { kind: "snapshot", table, leases, keys } as const;
      })
      .implement(api.decisions.report, ({ decisions }) => {
        reports.push(...decisions);
        return {};
      })
      .implement(api.wiretaps.report, ({ wiretaps }) => {
        tapReports.push(wiretaps);
        return {};
      });
    const http = createHttpServer((request, response) => rpc.handle(request, response));
    http.listen(port, "127.0.0.1");
    await once(http, "listening");
    port = (http.address() as AddressInfo).port;
    const end = async (): Promise<void> => {
      await rpc.close();
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    };
    running = { http, end };
  };
  const stop = async (): Promise<void> => {
    const { end } = running ?? {};
    running = undefined;
    await end?.();
  };

  await start();
  return {
    url: `http://127.0.0.1:${port}`,
    agents,
    reports,
    tapReports,
    publish({ overrides = [], rules = [], wiretaps = [] }, newLeases = {}) {
      table = { ...table, revision: table.revision + 1, overrides, rules, wiretaps };
      leases = newLeases;
      changes.emit("table");
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}
