import { Agent, type ClientRequest, type ClientRequestArgs, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ProxyLimits } from "./limits.ts";
import type { Upstream } from "./types.ts";

/** Sends a request over the stream in its options: which connection to use was decided before. */
class GivenStreamAgent extends Agent {
  addRequest(clientRequest: ClientRequest, options: ClientRequestArgs & { stream: Duplex }): void {
    clientRequest.onSocket(options.stream as Socket);
  }
}

const agent = new GivenStreamAgent({ keepAlive: true });

interface Pool {
  readonly key: string;
  /** Last used last. */
  readonly idle: UpstreamConnection[];
  /** Connections made from it that are still open or being opened. */
  open: number;
  retired: boolean;
}

/** One byte pipe to an upstream, which carries one request after another. */
export class UpstreamConnection {
  readonly stream: Duplex;
  readonly #pool: Pool;
  readonly #limits: ProxyLimits;
  #requests = 0;
  #idleLimitMs: number;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(stream: Duplex, pool: Pool, limits: ProxyLimits) {
    this.stream = stream;
    this.#pool = pool;
    this.#limits = limits;
    this.#idleLimitMs = limits.upstreamIdleTimeoutMs;
    // Emitted by node:http when an exchange is over and the connection may carry another.
    stream.on("free", this.#rest);
    // A request sees its own errors; between requests there is nobody to tell.
    stream.on("error", this.close);
    stream.on("close", this.#forget);
  }

  /** Whether a request was sent on it before the present one. */
  get isReused(): boolean {
    return this.#requests > 1;
  }

  request(options: {
    readonly method: string;
    readonly path: string;
    readonly headers: readonly string[];
  }): ClientRequest {
    this.#requests++;
    const { maxHeadBytes } = this.#limits;
    const given = { agent, stream: this.stream, maxHeaderSize: maxHeadBytes, insecureHTTPParser: false };
    // No header but those that came: `headers` goes out as it is.
    const clientRequest = request({ ...options, ...given, setDefaultHeaders: false } as ClientRequestArgs);
    // All lines; `maxHeadBytes` is the limit.
    clientRequest.maxHeadersCount = 0;
    clientRequest.once("response", this.#readKeepAlive);
    return clientRequest;
  }

  close = (): void => void this.stream.destroy();

  /** Takes it out of idleness. False when it was not idle any more. */
  wake(): boolean {
    clearTimeout(this.#idleTimer);
    this.stream.off("data", this.close);
    this.stream.off("end", this.close);
    return this.stream.writable && !this.stream.readableEnded;
  }

  #readKeepAlive = (answer: IncomingMessage): void => {
    const seconds = /(?:^|,)\s*timeout=(\d+)/i.exec(String(answer.headers["keep-alive"]))?.[1];
    if (seconds === undefined) return;
    // A second less than announced: a request must not meet the close on its way.
    this.#idleLimitMs = Math.min(this.#limits.upstreamIdleTimeoutMs, (Number(seconds) - 1) * 1_000);
  };

  #rest = (): void => {
    const { stream } = this;
    const { idle, retired } = this.#pool;
    const isUsable = stream.writable && !stream.readableEnded && this.#idleLimitMs > 0;
    if (!isUsable || retired || idle.length >= this.#limits.maxIdlePerUpstream) {
      this.close();
      return;
    }
    idle.push(this);
    // What comes unasked would be taken for the next request's answer.
    stream.on("data", this.close);
    stream.on("end", this.close);
    this.#idleTimer = setTimeout(this.close, this.#idleLimitMs).unref();
  };

  #forget = (): void => {
    clearTimeout(this.#idleTimer);
    const { idle } = this.#pool;
    const index = idle.indexOf(this);
    if (index >= 0) idle.splice(index, 1);
    this.#pool.open--;
  };
}

/** Kept connections, one pool per {@link Upstream.key}. */
export class UpstreamPools {
  readonly #limits: ProxyLimits;
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  constructor(limits: ProxyLimits) {
    this.#limits = limits;
  }

  /** A kept connection: the one used last, as it is the most likely to be alive. */
  take(key: string): UpstreamConnection | undefined {
    const idle = this.#pools.get(key)?.idle;
    for (let connection = idle?.pop(); connection !== undefined; connection = idle?.pop()) {
      if (connection.wake()) return connection;
      connection.close();
    }
    return undefined;
  }

  /** A new connection. Rejects with what {@link Upstream.connect} rejects with. */
  async open(upstream: Upstream, signal: AbortSignal): Promise<UpstreamConnection> {
    const pool = this.#poolOf(upstream.key);
    pool.open++;
    try {
      return new UpstreamConnection(await upstream.connect(signal), pool, this.#limits);
    } catch (error) {
      pool.open--;
      throw error;
    }
  }

  /** Ends idle connections to an upstream, and busy ones after their answer. */
  retire(key: string): void {
    const pool = this.#pools.get(key);
    if (pool === undefined) return;
    pool.retired = true;
    this.#pools.delete(key);
    for (const connection of [...pool.idle]) connection.close();
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#pools.keys()]) this.retire(key);
  }

  #poolOf(key: string): Pool {
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      this.#sweep();
      pool = { key, idle: [], open: 0, retired: this.#closed };
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Upstreams come and go (sessions do): a pool without connections is forgotten when the next one is made (I8). */
  #sweep(): void {
    for (const pool of this.#pools.values()) if (pool.open === 0) this.#pools.delete(pool.key);
  }
}
