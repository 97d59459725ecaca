import type { Override, Table } from "@clew/routing";
import type { Clock } from "./clock.ts";
import { Expiry } from "./expiry.ts";
import { applyDelta } from "./table-delta.ts";
import type { Leases, TableEvent } from "./types.ts";

/** Lease of a session that an override names before any event has named its lease: as long as a full one (routing.md). */
const assumedLeaseMs = 15_000;

/**
 * The last table that was seen, and what of it still holds: an override whose session's lease has ended is out,
 * whether or not a manager is there to say so (I2), and in again when the lease is.
 */
export class TableView {
  readonly #onChange: (table: Table) => void;
  readonly #leases: Expiry;
  #table: Table | undefined;
  /** Sessions that were out when the table was last handed over. */
  #ended = "";

  constructor(clock: Clock, onChange: (table: Table) => void) {
    this.#onChange = onChange;
    this.#leases = new Expiry(clock, () => this.#publishIfEnded());
  }

  get revision(): number | undefined {
    return this.#table?.revision;
  }

  /** False when the event does not follow from what was seen: the table has to be asked for anew. */
  apply(event: TableEvent): boolean {
    if (event.kind === "snapshot") {
      this.#table = event.table;
    } else if (event.kind === "delta") {
      const next = this.#table === undefined ? undefined : applyDelta(this.#table, event);
      if (next === undefined) return false;
      this.#table = next;
    }
    this.#renew(event.leases);
    if (event.kind === "leases") this.#publishIfEnded();
    else this.#publish();
    this.#leases.arm();
    return true;
  }

  stop(): void {
    this.#leases.stop();
  }

  #renew(leases: Leases): void {
    const sessions = new Set(this.#sessions());
    this.#leases.retain(sessions);
    for (const session of sessions) {
      const remainingMs = Object.hasOwn(leases, session) ? leases[session] : undefined;
      if (remainingMs !== undefined) this.#leases.set(session, remainingMs);
      else if (!this.#leases.has(session)) this.#leases.set(session, assumedLeaseMs);
    }
  }

  *#sessions(): Iterable<string> {
    if (this.#table === undefined) return;
    const { overrides, rules, wiretaps } = this.#table;
    for (const { session } of overrides) if (session !== undefined) yield session;
    for (const { override } of rules) if (override.session !== undefined) yield override.session;
    for (const { session } of wiretaps) if (session !== undefined) yield session;
  }

  /** Hands a table over only when a lease ended, or one that had ended runs again. */
  #publishIfEnded(): void {
    if (this.#endedSessions() !== this.#ended) this.#publish();
  }

  #endedSessions(): string {
    const ended = [...new Set(this.#sessions())].filter((session) => this.#leases.hasEnded(session));
    return JSON.stringify(ended.sort());
  }

  #publish(): void {
    if (this.#table === undefined) return;
    this.#ended = this.#endedSessions();
    const holds = ({ session }: Override): boolean =>
      session === undefined || !this.#leases.hasEnded(session);
    this.#onChange({
      ...this.#table,
      overrides: this.#table.overrides.filter(holds),
      rules: this.#table.rules.filter(({ override }) => holds(override)),
      wiretaps: this.#table.wiretaps.filter(holds),
    });
  }
}
