import type { Socket } from "node:net";
import type { Exchange } from "../../server/exchange.ts";
import { PlainExchange, type PlainLink } from "./plain-exchange.ts";
import { readPlainRequest } from "./plain-head.ts";

export interface PlainConnectionOptions {
  readonly accept: (exchange: Exchange) => void;
  readonly service: string;
  readonly maxBodyBytes: number;
}

/** How long a connection is kept between two requests, and before the first. As Node's own servers do. */
const keepAliveSeconds = 5;

/** How long a client may take nothing of an answer. As a stream's reader may (I8). */
const stallMs = 30_000;

/**
 * Answers calls on one connection of HTTP/1.1 without Node's parser and its streams, which cost more than all else of a
 * small call: as long as each request is plain, and whole in what one read brings. The first that is not goes, with the
 * connection and all that was read of it, to `handOver`: Node's own server judges it, and serves the connection to its
 * end. Returns what ends the connection, if it is idle.
 */
export function servePlainConnection(
  socket: Socket,
  options: PlainConnectionOptions,
  handOver: () => void,
): () => void {
  const connection = new PlainConnection(socket, options, handOver);
  return () => connection.endIfIdle();
}

class PlainConnection implements PlainLink {
  readonly socket: Socket;
  readonly service: string;
  readonly keepAliveSeconds: number = keepAliveSeconds;
  readonly #options: PlainConnectionOptions;
  readonly #handOver: () => void;
  #exchange: PlainExchange | undefined = undefined;
  /** What came behind the request that is being answered. */
  #rest: Buffer | undefined = undefined;
  #isReading = false;
  #idleSeconds = 0;

  constructor(socket: Socket, options: PlainConnectionOptions, handOver: () => void) {
    this.socket = socket;
    this.service = options.service;
    this.#options = options;
    this.#handOver = handOver;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
    socket.on("error", ignore);
    socket.on("drain", this.#onDrain);
    socket.on("timeout", this.#onTimeout);
    keep(this);
  }

  /** Called once a second. A call under way may take as long as it likes, an answer on its way only if it moves. */
  age(): void {
    const { socket } = this;
    if (this.#exchange !== undefined) return;
    if (socket.writableLength > 0) {
      // Node's own timeout knows whether anything was written since.
      if (!socket.timeout) socket.setTimeout(stallMs);
    } else {
      if (socket.timeout) socket.setTimeout(0);
      if (++this.#idleSeconds > keepAliveSeconds) socket.destroy();
    }
  }

  endIfIdle(): void {
    if (this.#exchange === undefined) this.socket.destroySoon();
  }

  onAnswered(): void {
    this.#exchange = undefined;
    this.#idleSeconds = 0;
    // Within the loop below, that goes on by itself.
    if (!this.#isReading) this.#readOn();
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#rest = this.#rest === undefined ? bytes : Buffer.concat([this.#rest, bytes]);
    if (this.#exchange === undefined) this.#readOn();
    // One read ahead of the answer that is under way, and no more (I8).
    else this.socket.pause();
  };

  /** Answers, in order, what is there, as long as the reader takes the answers. */
  #readOn(): void {
    const { socket } = this;
    this.#isReading = true;
    while (this.#rest !== undefined && this.#exchange === undefined && socket.writable) {
      if (socket.writableNeedDrain) {
        socket.pause();
        break;
      }
      const bytes = this.#rest;
      const request = readPlainRequest(bytes, this.#options.maxBodyBytes);
      if (request === undefined) {
        this.#leave(bytes);
        break;
      }
      this.#rest = request.endsAt === bytes.length ? undefined : bytes.subarray(request.endsAt);
      this.#exchange = new PlainExchange(this, request);
      this.#options.accept(this.#exchange);
    }
    this.#isReading = false;
    if (this.#rest === undefined && socket.isPaused()) socket.resume();
  }

  #leave(bytes: Buffer): void {
    const { socket } = this;
    this.#rest = undefined;
    connections.delete(this);
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("close", this.#onClose);
    socket.off("error", ignore);
    socket.off("drain", this.#onDrain);
    socket.off("timeout", this.#onTimeout);
    socket.setTimeout(0);
    socket.pause();
    socket.unshift(bytes);
    this.#handOver();
    socket.resume();
  }

  readonly #onDrain = (): void => {
    if (this.#exchange === undefined) this.#readOn();
  };

  /** A client that ends its half is gone: so Node's servers take it, too. */
  readonly #onEnd = (): void => {
    if (this.#exchange === undefined) this.socket.end();
    else this.socket.destroy();
  };

  readonly #onTimeout = (): void => {
    if (this.#exchange === undefined) this.socket.destroy();
  };

  readonly #onClose = (): void => {
    connections.delete(this);
    this.#exchange?.cancel();
  };
}

const connections = new Set<PlainConnection>();
let timer: NodeJS.Timeout | undefined;

/** One timer for all of them: one of each would be set again with every read and every write. */
function keep(connection: PlainConnection): void {
  connections.add(connection);
  timer ??= setInterval(() => {
    for (const one of connections) one.age();
    if (connections.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }, 1_000).unref();
}

function ignore(): void {}
