import type { Environment } from "./environment.ts";
import type { Upstream } from "./types.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** The connections to one upstream. */
export interface Pool {
  readonly key: string;
  /** Last used last. */
  readonly idle: UpstreamConnection[];
  /** Connections made from it that are still open or being opened. */
  open: number;
  retired: boolean;
}

/** Kept connections, one pool per {@link Upstream.key}, shared by all clients. */
export class UpstreamPools {
  readonly #environment: Environment;
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** A kept connection: the one used last, as it is the most likely to be alive. */
  take(key: string): UpstreamConnection | undefined {
    const idle = this.#pools.get(key)?.idle;
    if (idle === undefined) return undefined;
    for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
      if (connection.wake()) {
        this.#environment.stats.upstreamReuses++;
        return connection;
      }
      connection.close();
    }
    return undefined;
  }

  /** A new connection. Rejects with what {@link Upstream.connect} rejects with. */
  async open(upstream: Upstream, signal: AbortSignal): Promise<UpstreamConnection> {
    const { stats } = this.#environment;
    const pool = this.#poolOf(upstream.key);
    pool.open++;
    try {
      const stream = await upstream.connect(signal);
      stats.upstreamConnects++;
      // One that has closed already will not say so again.
      if (stream.closed) throw new Error("closed as soon as it was open");
      return new UpstreamConnection(stream, pool, this.#environment);
    } catch (error) {
      stats.upstreamConnectFailures++;
      pool.open--;
      throw error;
    }
  }

  /** Takes back a connection that may carry another request. */
  put(connection: UpstreamConnection): void {
    const { idle, retired } = connection.pool;
    if (retired || idle.length >= this.#environment.limits.maxIdlePerUpstream) connection.close();
    else idle.push(connection);
  }

  /** Ends idle connections to an upstream, and busy ones after their answer. */
  retire(key: string): void {
    const pool = this.#pools.get(key);
    if (pool === undefined) return;
    pool.retired = true;
    this.#pools.delete(key);
    for (const connection of [...pool.idle]) connection.close();
  }

  /** Ends those that have idled long enough. The first of a pool have idled longest. */
  sweep(): void {
    for (const { idle } of this.#pools.values()) {
      if (idle[0]?.hasIdledOut() === true) for (const each of [...idle]) if (each.hasIdledOut()) each.close();
    }
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#pools.keys()]) this.retire(key);
  }

  #poolOf(key: string): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      this.#forgetEmpty();
      pool = { key, idle: [], open: 0, retired: this.#closed };
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Upstreams come and go (sessions do): a pool without connections is forgotten when the next one is made (I8). */
  #forgetEmpty(): void {
    for (const pool of this.#pools.values()) if (pool.open === 0) this.#pools.delete(pool.key);
  }
}
