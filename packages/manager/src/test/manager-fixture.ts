import { createManagerClient, type ManagerClient, type PortInfo, type SessionGrant } from "@clew/control";
import { startTunnel, type Tunnel } from "@clew/tunnel";
import { pino } from "pino";
import { createMemoryRegistry } from "../registry/memory.ts";
import type { Registry } from "../registry/registry.ts";
import { createManualClock, type ManualClock } from "../registry/test/manual-clock.ts";
import { type Manager, type ManagerOptions, startManager } from "../start-manager.ts";
import { TableObserver } from "./table-observer.ts";

/** A manager on a port of its own, its registry, and time that stands until it is told to go on. */
export interface Fixture extends AsyncDisposable {
  readonly manager: Manager;
  readonly registry: Registry;
  readonly clock: ManualClock;
  readonly client: ManagerClient;
  /** Entries of the manager's log, in order. */
  readonly log: ReadonlyArray<Readonly<Record<string, unknown>>>;
  /** Watches a service's table as an agent does, and so makes the service known. Ends with the fixture. */
  watch(service: string, ports?: readonly string[], protocol?: PortInfo["protocol"]): Promise<TableObserver>;
  /** The developer's side of a session. Ends with the fixture. */
  dial(grant: SessionGrant): Tunnel;
}

export interface FixtureOptions
  extends Partial<
    Pick<
      ManagerOptions,
      "token" | "limits" | "listen" | "advertise" | "registry" | "routingKeys" | "environment"
    >
  > {
  readonly clock?: ManualClock;
  /** Of the memory registry, where no other is given. */
  readonly directory?: string;
}

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const { clock = createManualClock(), directory, registry: shared, ...rest } = options;
  const registry = shared ?? (await createMemoryRegistry({ clock, directory }));
  const log: Array<Record<string, unknown>> = [];
  const manager = await startManager({
    listen: { host: "127.0.0.1", port: 0 },
    environment: "test",
    routingKeys: "open",
    registry,
    clock: { now: () => epochMs + clock.monotonicMs(), monotonicMs: () => clock.monotonicMs() },
    log: pino({ level: "debug" }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    ...rest,
  });
  const client = createManagerClient({ url: manager.url, token: options.token, service: "test" });
  const watches = new AbortController();
  const tunnels: Tunnel[] = [];
  return {
    manager,
    registry,
    clock,
    client,
    log,
    async watch(service, ports = ["http"], protocol = "auto") {
      const observer = new TableObserver(client, service, ports, watches.signal, protocol);
      await observer.table;
      return observer;
    },
    dial({ session, token, epoch }) {
      const { host, port } = manager.address;
      const tunnel = startTunnel({
        manager: { host, port },
        authenticate: async () => ({ session, token, epoch }),
        isOffered: () => true,
      });
      tunnels.push(tunnel);
      return tunnel;
    },
    async [Symbol.asyncDispose]() {
      watches.abort();
      await Promise.all(tunnels.map((tunnel) => tunnel.close({ graceMs: 0 })));
      client.close();
      await manager.close({ graceMs: 100 });
      if (!shared) await registry.close();
    },
  };
}

/** Where the manual clock's zero lies. */
export const epochMs: number = Date.UTC(2026, 0, 1);

/** The code of the error that a call rejects with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
  throw new Error("the call was expected to be refused");
}
