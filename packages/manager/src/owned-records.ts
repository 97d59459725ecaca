export interface Owner {
  readonly service: string;
  readonly session: string | undefined;
}

/** Records by id, and indexed by the service and the session they belong to: tables and leases ask for either at every change. */
export class OwnedRecords<Value> {
  readonly byId: Map<string, Value> = new Map();
  readonly #ownerOf: (value: Value) => Owner;
  readonly #byService = new Map<string, Map<string, Value>>();
  readonly #bySession = new Map<string, Map<string, Value>>();

  constructor(ownerOf: (value: Value) => Owner) {
    this.#ownerOf = ownerOf;
  }

  /** The service whose table this changes. */
  set(id: string, value: Value): string {
    this.delete(id);
    const { service, session } = this.#ownerOf(value);
    this.byId.set(id, value);
    group(this.#byService, service).set(id, value);
    if (session !== undefined) group(this.#bySession, session).set(id, value);
    return service;
  }

  /** The service whose table this changed; undefined when there was no such record. */
  delete(id: string): string | undefined {
    const value = this.byId.get(id);
    if (value === undefined) return undefined;
    const { service, session } = this.#ownerOf(value);
    this.byId.delete(id);
    ungroup(this.#byService, service, id);
    if (session !== undefined) ungroup(this.#bySession, session, id);
    return service;
  }

  ofService(name: string): readonly Value[] {
    return [...(this.#byService.get(name)?.values() ?? [])];
  }

  ofSession(id: string): readonly Value[] {
    return [...(this.#bySession.get(id)?.values() ?? [])];
  }
}

function group<Value>(groups: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  const existing = groups.get(name);
  if (existing) return existing;
  const created = new Map<string, Value>();
  groups.set(name, created);
  return created;
}

function ungroup<Value>(groups: Map<string, Map<string, Value>>, name: string, id: string): void {
  const values = groups.get(name);
  values?.delete(id);
  if (values?.size === 0) groups.delete(name);
}
