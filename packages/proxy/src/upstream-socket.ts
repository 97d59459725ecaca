import { isIPv6, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { giveReadBuffer, takeReadBuffer } from "./read-buffers.ts";

/** Takes what was read. The bytes are the socket's again as soon as it returns, unless it called {@link UpstreamSocket.lend}. */
export type OnRead = (bytes: Buffer, length: number) => void;

/**
 * A TCP connection to an upstream. Its reads go into one buffer again and again and are handed over as they are, with no stream
 * between, once somebody has set {@link onRead}; until then (and for everybody else) it is an ordinary stream.
 * Source: `onread` of node:net.
 */
export class UpstreamSocket extends Socket {
  onRead: OnRead | undefined;
  #buffer: Buffer = takeReadBuffer();

  constructor() {
    super({
      // An upgraded protocol may end one direction before the other.
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#buffer,
        callback: (length) => this.#read(length),
      },
    });
    this.setNoDelay(true);
    this.once("close", () => giveReadBuffer(this.#buffer));
  }

  /** Leaves the bytes handed over last with the caller, who gives the buffer back; the next read goes into another one. */
  lend(): Buffer {
    const lent = this.#buffer;
    this.#buffer = takeReadBuffer();
    return lent;
  }

  #read(length: number): boolean {
    if (this.onRead === undefined) return this.push(Buffer.from(this.#buffer.subarray(0, length)));
    this.onRead(this.#buffer, length);
    return true;
  }
}

/** Rejects when the connection does not come about, or `signal` aborts before. */
export function connectTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = new UpstreamSocket();
    const abort = (): void => void socket.destroy(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("error", reject);
      resolve(socket);
    });
    socket.once("close", () => signal.removeEventListener("abort", abort));
    socket.connect({ host, port });
  });
}

export function tcpKey(host: string, port: number): string {
  return `tcp://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
