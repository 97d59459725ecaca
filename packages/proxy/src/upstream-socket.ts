import { isIPv6, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { giveReadBuffer, takeReadBuffer } from "./read-buffers.ts";

/** Takes what was read. The bytes are overwritten by the next read: whoever still needs them pauses the socket. */
export type OnRead = (bytes: Buffer, length: number) => void;

/**
 * A TCP connection to an upstream. Its reads go into one buffer again and again and are handed over as they are, with no stream
 * between, once somebody has set {@link onRead}; until then (and for everybody else) it is an ordinary stream.
 * Source: `onread` of node:net.
 */
export class UpstreamSocket extends Socket {
  onRead: OnRead | undefined;
  /** Somebody still writes what was read last: the buffer is not to be used for another connection. */
  isBufferInUse = false;
  readonly #buffer: Buffer;

  constructor() {
    const buffer = takeReadBuffer();
    super({
      // An upgraded protocol may end one direction before the other.
      allowHalfOpen: true,
      onread: {
        buffer,
        callback: (length) => this.#read(length),
      },
    });
    this.#buffer = buffer;
    this.setNoDelay(true);
    this.once("close", () => {
      if (!this.isBufferInUse) giveReadBuffer(buffer);
    });
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
