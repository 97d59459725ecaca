import { EventEmitter, once } from "node:events";
import { applyDelta, type Leases, type ManagerClient, type PortInfo, type TableEvent } from "@clew/control";
import type { Table } from "@clew/routing";

/** Each is an agent of its own. */
let observers = 0;

/** An agent's watch that keeps every event, and the table that they come to. */
export class TableObserver {
  readonly events: TableEvent[] = [];
  leases: Leases = {};
  /** How the watch ended, once it has. */
  ended: unknown;
  readonly #emitter = new EventEmitter();
  #table: Table | undefined;
  #isOver = false;

  constructor(
    client: ManagerClient,
    service: string,
    ports: readonly string[],
    signal: AbortSignal,
    protocol: PortInfo["protocol"] = "auto",
  ) {
    const addresses = ports.map(
      (port, index) => [port, { address: `127.0.0.1:${9_101 + index}`, protocol }] as const,
    );
    const agent = { id: `agent-of-${service}-${++observers}`, ports: Object.fromEntries(addresses), env: {} };
    void this.#read(client.tables.watch({ service, agent }, { signal }));
  }

  /** The table now, or the first one. */
  get table(): Promise<Table> {
    return this.when((table) => table !== undefined);
  }

  /** Waits until the table is so. */
  async when(isSo: (table: Table) => boolean): Promise<Table> {
    for (;;) {
      if (this.#table && isSo(this.#table)) return this.#table;
      if (this.#isOver) throw new Error("the watch has ended", { cause: this.ended });
      await once(this.#emitter, "event");
    }
  }

  async #read(events: AsyncIterable<TableEvent>): Promise<void> {
    try {
      for await (const event of events) {
        this.events.push(event);
        this.leases = event.leases;
        if (event.kind === "snapshot") this.#table = event.table;
        if (event.kind === "delta") this.#table = this.#apply(event);
        this.#emitter.emit("event");
      }
    } catch (error) {
      this.ended = error;
    }
    this.#isOver = true;
    this.#emitter.emit("event");
  }

  #apply(event: Extract<TableEvent, { kind: "delta" }>): Table {
    const table = this.#table && applyDelta(this.#table, event);
    if (table) return table;
    throw new Error(`a gap: the delta builds on ${event.previous}, the table is at ${this.#table?.revision}`);
  }
}
