import { EtcdGateway, EtcdRefusal } from "./etcd-gateway.ts";
import { fromBase64, rangeBelow, type StoredKey, toBase64 } from "./etcd-keys.ts";
import { watchEtcd } from "./etcd-watch.ts";
import { checkOperations, checkTtl, type Operations, type Put } from "./operations.ts";
import type { Entry, Lease, PutOptions, Registry, WatchEvent, WriteResult } from "./registry.ts";
import { leaseGone, RegistryError, registryClosed } from "./registry-error.ts";
import type { OnReport } from "./report.ts";

export interface EtcdRegistryOptions {
  /** `http://host:2379`, at least one. One is used until it fails, then the next. */
  readonly endpoints: readonly string[];
  /** All keys lie below it; a `/` is added when it does not end in one. Registries with one prefix are one registry. */
  readonly prefix: string;
  /** For one attempt at one endpoint. Default 3,000: an election takes one to two seconds. */
  readonly timeoutMs?: number | undefined;
  /**
   * A watch that says nothing this long is opened anew, as it may hang on a connection that died
   * unnoticed. Default 30,000: the longest that a change stays unseen then, for one small request.
   */
  readonly watchSilenceMs?: number | undefined;
  /** Sent as the `authorization` header as it is, as etcd's own tokens are. */
  readonly token?: string | undefined;
  readonly onReport?: OnReport | undefined;
}

const defaultTimeoutMs = 3_000;
const defaultWatchSilenceMs = 30_000;
/** Entries asked for at a time: at their largest some 45 MB, usually below 1 MB. */
const pageEntries = 500;

interface Header {
  readonly header: { readonly revision: string };
}

interface RangeAnswer extends Header {
  readonly kvs?: readonly StoredKey[];
  readonly more?: boolean;
}

/**
 * The registry that several managers share, over etcd's JSON gateway. Asks nothing of etcd until it is
 * used. etcd counts leases in whole seconds and has a shortest one (2 s with its default election
 * timeout): a ttl is rounded up, never down.
 *
 * Calls throw E_REGISTRY_UNREACHABLE when nothing was done, E_REGISTRY_INDETERMINATE when a write may
 * have been done or not, E_REGISTRY_REFUSED when etcd said no. Watches go on by themselves through all
 * but the last.
 */
export async function createEtcdRegistry(options: EtcdRegistryOptions): Promise<Registry> {
  const { token, timeoutMs = defaultTimeoutMs, onReport = () => {} } = options;
  const watchSilenceMs = options.watchSilenceMs ?? defaultWatchSilenceMs;
  const endpoints = options.endpoints.map(parseEndpoint);
  if (endpoints.length === 0) throw wrong("There is no etcd endpoint.");
  if (/^\/*$/.test(options.prefix)) throw wrong(`The etcd prefix "${options.prefix}" would be all of etcd.`);
  const prefix = options.prefix.endsWith("/") ? options.prefix : `${options.prefix}/`;
  const gateway = new EtcdGateway({ endpoints, timeoutMs, token, onReport });
  return new EtcdRegistry({ gateway, prefix, watchSilenceMs, onReport });
}

class EtcdRegistry implements Registry {
  readonly #gateway: EtcdGateway;
  readonly #prefix: string;
  readonly #watching: { readonly silenceMs: number; readonly onReport: OnReport };
  readonly #closing = new AbortController();

  constructor(parts: { gateway: EtcdGateway; prefix: string; watchSilenceMs: number; onReport: OnReport }) {
    this.#gateway = parts.gateway;
    this.#prefix = parts.prefix;
    this.#watching = { silenceMs: parts.watchSilenceMs, onReport: parts.onReport };
  }

  async get(key: string): Promise<Entry | undefined> {
    const { kvs } = await this.#gateway.read<RangeAnswer>("/v3/kv/range", { key: this.#key(key) });
    const stored = kvs?.[0];
    return stored && this.#entry(stored);
  }

  async list(prefix: string): Promise<{ entries: readonly Entry[]; revision: number }> {
    for (;;) {
      try {
        return await this.#listAtOneRevision(prefix);
      } catch (error) {
        if (!(error instanceof EtcdRefusal && error.isCompacted)) throw error;
      }
    }
  }

  put(key: string, value: string, options: PutOptions = {}): Promise<WriteResult> {
    const { ifRevision, lease } = options;
    return this.transaction({
      compare: ifRevision === undefined ? [] : [{ key, revision: ifRevision }],
      puts: [{ key, value, lease }],
    });
  }

  delete(key: string, options: { readonly ifRevision?: number | undefined } = {}): Promise<WriteResult> {
    const { ifRevision } = options;
    return this.transaction({
      compare: ifRevision === undefined ? [] : [{ key, revision: ifRevision }],
      deletes: [key],
    });
  }

  async transaction(operations: Partial<Operations>): Promise<WriteResult> {
    const { compare = [], puts = [], deletes = [] } = operations;
    checkOperations({ compare, puts, deletes });
    const body = {
      compare: compare.map(({ key, revision }) => ({
        key: this.#key(key),
        target: "MOD",
        result: "EQUAL",
        mod_revision: revision,
      })),
      success: [
        ...puts.map((put) => ({ request_put: this.#put(put) })),
        ...deletes.map((key) => ({ request_delete_range: { key: this.#key(key) } })),
      ],
    };
    try {
      const answer = await this.#gateway.write<Header & { succeeded?: boolean }>("/v3/kv/txn", body);
      return answer.succeeded ? { ok: true, revision: Number(answer.header.revision) } : { ok: false };
    } catch (error) {
      if (!(error instanceof EtcdRefusal && error.isNotFound)) throw error;
      throw leaseGone(puts.flatMap(({ lease }) => lease ?? []).join(" or "));
    }
  }

  async lease(ttlMs: number): Promise<Lease> {
    checkTtl(ttlMs);
    // May be asked twice: a lease that nobody got to know ends by itself.
    const body = { TTL: Math.ceil(ttlMs / 1000) };
    const { ID } = await this.#gateway.read<{ ID: string }>("/v3/lease/grant", body);
    return this.#lease(ID);
  }

  async findLease(id: string): Promise<Lease | undefined> {
    if (!isLeaseId(id)) return undefined;
    // The last second is told as 0, which JSON leaves out.
    const { TTL = "0" } = await this.#gateway.read<{ TTL?: string }>("/v3/lease/timetolive", { ID: id });
    return TTL.startsWith("-") ? undefined : this.#lease(id);
  }

  async *watch(prefix: string, afterRevision: number, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    if (this.#closing.signal.aborted) throw registryClosed();
    const ended = new AbortController();
    const end = (): void => ended.abort();
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
    this.#closing.signal.addEventListener("abort", end);
    try {
      yield* watchEtcd(this.#gateway, {
        range: rangeBelow(this.#prefix + prefix),
        prefixLength: this.#prefix.length,
        afterRevision,
        signal: ended.signal,
        ...this.#watching,
      });
    } finally {
      signal.removeEventListener("abort", end);
      this.#closing.signal.removeEventListener("abort", end);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#gateway.close();
  }

  /** Page after page as of the revision of the first. */
  async #listAtOneRevision(prefix: string): Promise<{ entries: readonly Entry[]; revision: number }> {
    const range = rangeBelow(this.#prefix + prefix);
    const entries: Entry[] = [];
    let from = range.key;
    let revision = 0;
    for (;;) {
      const body = { key: from, range_end: range.range_end, limit: pageEntries, revision };
      const page = await this.#gateway.read<RangeAnswer>("/v3/kv/range", body);
      revision ||= Number(page.header.revision);
      for (const stored of page.kvs ?? []) entries.push(this.#entry(stored));
      const last = entries.at(-1);
      if (!page.more || last === undefined) return { entries, revision };
      from = this.#key(`${last.key}\u0000`);
    }
  }

  #key(key: string): string {
    return toBase64(this.#prefix + key);
  }

  #put({ key, value, lease }: Put): Record<string, string> {
    if (lease !== undefined && !isLeaseId(lease)) throw leaseGone(lease);
    const put = { key: this.#key(key), value: toBase64(value) };
    return lease === undefined ? put : { ...put, lease };
  }

  #entry(stored: StoredKey): Entry {
    return {
      key: fromBase64(stored.key).slice(this.#prefix.length),
      value: fromBase64(stored.value ?? ""),
      revision: Number(stored.mod_revision),
    };
  }

  #lease(id: string): Lease {
    return {
      id,
      keepAlive: async () => {
        const answer = await this.#gateway.read<{ result: { TTL?: string } }>("/v3/lease/keepalive", {
          ID: id,
        });
        return Number(answer.result.TTL ?? 0) > 0;
      },
      revoke: async () => {
        try {
          await this.#gateway.read("/v3/lease/revoke", { ID: id });
        } catch (error) {
          if (!(error instanceof EtcdRefusal && error.isNotFound)) throw error;
        }
      },
    };
  }
}

/** etcd's ids are 64-bit numbers; another registry's are no leases here. */
function isLeaseId(id: string): boolean {
  return /^[1-9][0-9]{0,18}$/.test(id);
}

function parseEndpoint(endpoint: string): string {
  if (!/^https?:/.test(endpoint) || !URL.canParse(endpoint)) {
    throw wrong(`The etcd endpoint "${endpoint}" is not an address like http://127.0.0.1:2379.`);
  }
  return endpoint.replace(/\/+$/, "");
}

function wrong(message: string): RegistryError {
  return new RegistryError("E_REGISTRY_ARGUMENT", message);
}
