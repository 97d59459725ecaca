import type { Environment } from "./environment.ts";
import type { Upstream } from "./types.ts";
import { UpstreamConnection } from "./upstream-connection.ts";

/** The connections to one upstream, shared by all clients. */
export class Pool {
  readonly #maxIdle: number;
  /** Last used last. */
  readonly #idle: UpstreamConnection[] = [];
  /** Connections that are open or being opened. */
  #open = 0;
  #isRetired = false;

  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  get isEmpty(): boolean {
    return this.#open === 0;
  }

  /** A kept connection: the one used last, as it is the most likely to be alive. */
  take(): UpstreamConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.wake()) return connection;
      connection.close();
    }
    return undefined;
  }

  /** Takes back a connection that may carry another request. */
  put(connection: UpstreamConnection): void {
    if (this.#isRetired || this.#idle.length >= this.#maxIdle) connection.close();
    else this.#idle.push(connection);
  }

  /** It must not be taken any more. */
  remove(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** One is being opened. */
  opens(): void {
    this.#open++;
  }

  /** One has closed, or did not come about. */
  closed(): void {
    this.#open--;
  }

  /** Ends those that have idled long enough. The first have idled longest. */
  sweep(): void {
    if (this.#idle[0]?.hasIdledOut() !== true) return;
    for (const each of [...this.#idle]) if (each.hasIdledOut()) each.close();
  }

  /** Ends idle connections, and busy ones after their answer. */
  retire(): void {
    this.#isRetired = true;
    for (const connection of [...this.#idle]) connection.close();
  }
}

/** One pool of kept connections per {@link Upstream.key}. */
export class UpstreamPools {
  readonly #environment: Environment;
  readonly #pools = new Map<string, Pool>();
  #isClosed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** A kept connection, if there is one. */
  take(key: string): UpstreamConnection | undefined {
    const connection = this.#pools.get(key)?.take();
    if (connection !== undefined) this.#environment.stats.upstreamReuses++;
    return connection;
  }

  /** A new connection. Rejects with what {@link Upstream.connect} rejects with. */
  async open(upstream: Upstream, signal: AbortSignal): Promise<UpstreamConnection> {
    const { stats } = this.#environment;
    const pool = this.#poolOf(upstream.key);
    pool.opens();
    try {
      const stream = await upstream.connect(signal);
      stats.upstreamConnects++;
      // One that has closed already will not say so again.
      if (stream.closed) throw new Error("closed as soon as it was open");
      return new UpstreamConnection(stream, pool, this.#environment);
    } catch (error) {
      stats.upstreamConnectFailures++;
      pool.closed();
      throw error;
    }
  }

  /** Ends idle connections to an upstream, and busy ones after their answer. */
  retire(key: string): void {
    const pool = this.#pools.get(key);
    this.#pools.delete(key);
    pool?.retire();
  }

  sweep(): void {
    for (const pool of this.#pools.values()) pool.sweep();
  }

  close(): void {
    this.#isClosed = true;
    for (const key of [...this.#pools.keys()]) this.retire(key);
  }

  #poolOf(key: string): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      this.#forgetEmpty();
      pool = new Pool(this.#environment.limits.maxIdlePerUpstream);
      if (this.#isClosed) pool.retire();
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Upstreams come and go (sessions do): a pool without connections is forgotten when the next one is made (I8). */
  #forgetEmpty(): void {
    for (const [key, pool] of this.#pools) if (pool.isEmpty) this.#pools.delete(key);
  }
}
