import type { Override, Rule } from "@clew/routing";
import { OwnedRecords } from "./owned-records.ts";
import {
  type GatewayRecord,
  type KeyRecord,
  lastGateway,
  linkSecret,
  type PreviewRecord,
  parseRecord,
  parseRecordKey,
  type ReplacedRecord,
  routingKeyPair,
  type ServiceRecord,
  type SessionRecord,
  type VisitorsRecord,
  visitorSecret,
} from "./records.ts";
import type { Entry, WatchEvent } from "./registry/registry.ts";

/** What a batch of registry events came to, for those who tell others. */
export interface DirectoryChange {
  /** Services whose table, or whose leases, are no longer what they were. */
  readonly services: ReadonlySet<string>;
  /** Sessions that are gone: closed, or at the end of their lease. */
  readonly ended: ReadonlySet<string>;
  /** Previews, what they replaced, or the gateway that serves them. */
  readonly previews: boolean;
  /** The key pair that signs routing keys. */
  readonly keys: boolean;
}

/** The read-only face of the state, for everyone but the directory that feeds it. */
export interface View {
  readonly sessions: ReadonlyMap<string, SessionRecord>;
  readonly services: ReadonlyMap<string, ServiceRecord>;
  readonly previews: ReadonlyMap<string, PreviewRecord>;
  readonly visitors: ReadonlyMap<string, VisitorsRecord>;
  readonly replaced: ReadonlyMap<string, ReplacedRecord>;
  readonly gateway: GatewayRecord | undefined;
  readonly keyPair: KeyRecord | undefined;
  /** What gateways sign their visitors' cookies with. */
  readonly visitorKey: string | undefined;
  /** What links' tokens are made from. */
  readonly linkKey: string | undefined;
  readonly overrides: Pick<OwnedRecords<Override>, "ofService" | "ofSession"> & {
    readonly byId: ReadonlyMap<string, Override>;
  };
  readonly rules: Pick<OwnedRecords<Rule>, "ofService" | "ofSession"> & {
    readonly byId: ReadonlyMap<string, Rule>;
  };
  readonly wiretaps: View["overrides"];
  /** Monotonic ms at which this manager learnt of the session's last sign of life. */
  lastSeenMs(session: string): number | undefined;
  /** The registry's revision of a record; 0 when there is none. */
  revisionOf(key: string): number;
}

/** The manager's state in memory: a fold over the registry's events. */
export class DirectoryState implements View {
  readonly sessions: Map<string, SessionRecord> = new Map();
  readonly services: Map<string, ServiceRecord> = new Map();
  readonly previews: Map<string, PreviewRecord> = new Map();
  readonly visitors: Map<string, VisitorsRecord> = new Map();
  readonly replaced: Map<string, ReplacedRecord> = new Map();
  readonly overrides: OwnedRecords<Override> = new OwnedRecords(({ service, session }) => ({
    service,
    session,
  }));
  readonly wiretaps: OwnedRecords<Override> = new OwnedRecords(({ service, session }) => ({
    service,
    session,
  }));
  readonly rules: OwnedRecords<Rule> = new OwnedRecords(({ service, override: { session } }) => ({
    service,
    session,
  }));
  gateway: GatewayRecord | undefined;
  keyPair: KeyRecord | undefined;
  visitorKey: string | undefined;
  linkKey: string | undefined;

  readonly #monotonicMs: () => number;
  readonly #revisions = new Map<string, number>();
  readonly #seen = new Map<string, number>();
  #changedServices = new Set<string>();
  #ended = new Set<string>();
  #previewsChanged = false;
  #keysChanged = false;

  constructor(monotonicMs: () => number) {
    this.#monotonicMs = monotonicMs;
  }

  lastSeenMs(session: string): number | undefined {
    return this.#seen.get(session);
  }

  revisionOf(key: string): number {
    return this.#revisions.get(key) ?? 0;
  }

  /** The events that bring this state to a listing. What did not change gives none, so nobody's lease is refreshed by it. */
  *eventsTo(
    entries: readonly Entry[],
    revision: number,
  ): Iterable<Exclude<WatchEvent, { kind: "compacted" }>> {
    const present = new Set(entries.map((entry) => entry.key));
    for (const key of [...this.#revisions.keys()])
      if (!present.has(key)) yield { kind: "delete", key, revision };
    for (const entry of entries)
      if (this.revisionOf(entry.key) !== entry.revision) yield { kind: "put", entry };
  }

  /** Throws a SyntaxError for a value that is not JSON; the state is then as if it had not been written. */
  apply(event: Exclude<WatchEvent, { kind: "compacted" }>): void {
    const key = event.kind === "put" ? event.entry.key : event.key;
    const parsed = parseRecordKey(key);
    if (!parsed) return;
    if (event.kind === "put") {
      this.#revisions.set(key, event.entry.revision);
      this.#put(parsed, event.entry.value);
    } else if (this.#revisions.delete(key)) {
      this.#remove(parsed);
    }
  }

  /** What changed since the last call. */
  takeChange(): DirectoryChange {
    const change = {
      services: this.#changedServices,
      ended: this.#ended,
      previews: this.#previewsChanged,
      keys: this.#keysChanged,
    };
    this.#changedServices = new Set();
    this.#ended = new Set();
    this.#previewsChanged = false;
    this.#keysChanged = false;
    return change;
  }

  #put({ kind, id }: NonNullable<ReturnType<typeof parseRecordKey>>, value: string): void {
    switch (kind) {
      case "sessions":
        this.#putSession(id, parseRecord(kind, value));
        break;
      case "beats":
        this.#seen.set(id, this.#monotonicMs());
        break;
      case "overrides":
        this.#changedServices.add(this.overrides.set(id, parseRecord(kind, value)));
        break;
      case "rules":
        this.#changedServices.add(this.rules.set(id, parseRecord(kind, value)));
        break;
      case "wiretaps":
        this.#changedServices.add(this.wiretaps.set(id, parseRecord(kind, value)));
        break;
      case "services":
        this.services.set(id, parseRecord(kind, value));
        break;
      case "previews":
        this.previews.set(id, parseRecord(kind, value));
        this.#previewsChanged = true;
        break;
      case "visitors":
        this.visitors.set(id, parseRecord(kind, value));
        break;
      case "replaced":
        this.replaced.set(id, parseRecord(kind, value));
        this.#previewsChanged = true;
        break;
      case "secrets":
        if (id === visitorSecret) this.visitorKey = parseRecord(kind, value).secret;
        if (id === linkSecret) this.linkKey = parseRecord(kind, value).secret;
        this.#previewsChanged = true;
        break;
      case "gateways":
        if (id === lastGateway) this.gateway = parseRecord(kind, value);
        this.#previewsChanged = true;
        break;
      case "keys":
        if (id === routingKeyPair) this.keyPair = parseRecord(kind, value);
        this.#keysChanged = true;
        break;
      case "guards":
        break;
    }
  }

  /** Opening and resuming are signs of life; a change of state or relay is none. */
  #putSession(id: string, record: SessionRecord): void {
    if (this.sessions.get(id)?.epoch !== record.epoch) this.#seen.set(id, this.#monotonicMs());
    this.sessions.set(id, record);
    this.#touchServicesOf(id);
  }

  #remove({ kind, id }: NonNullable<ReturnType<typeof parseRecordKey>>): void {
    switch (kind) {
      case "sessions":
        this.#touchServicesOf(id);
        this.sessions.delete(id);
        this.#seen.delete(id);
        this.#ended.add(id);
        break;
      case "overrides":
        this.#changed(this.overrides.delete(id));
        break;
      case "rules":
        this.#changed(this.rules.delete(id));
        break;
      case "wiretaps":
        this.#changed(this.wiretaps.delete(id));
        break;
      case "services":
        this.services.delete(id);
        break;
      case "previews":
        this.#previewsChanged = this.previews.delete(id) || this.#previewsChanged;
        break;
      case "visitors":
        this.visitors.delete(id);
        break;
      case "replaced":
        this.#previewsChanged = this.replaced.delete(id) || this.#previewsChanged;
        break;
      case "gateways":
        this.gateway = undefined;
        break;
      case "beats":
      case "guards":
        break;
    }
  }

  #changed(service: string | undefined): void {
    if (service !== undefined) this.#changedServices.add(service);
  }

  /** A session's relay and lease are part of every table that holds an override of it. */
  #touchServicesOf(session: string): void {
    for (const override of this.overrides.ofSession(session)) this.#changedServices.add(override.service);
    for (const rule of this.rules.ofSession(session)) this.#changedServices.add(rule.service);
    for (const wiretap of this.wiretaps.ofSession(session)) this.#changedServices.add(wiretap.service);
  }
}
