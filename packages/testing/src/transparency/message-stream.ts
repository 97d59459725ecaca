import type { Socket } from "node:net";
import { type PlainMessage, type ReadMessageOptions, readMessage } from "../http-message.ts";
import { patienceMs } from "./types.ts";

/** Takes the messages of one connection out of it, one after another, as plain bytes. */
export class MessageStream {
  readonly socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #ended = false;
  #gaveUp = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      this.#wake?.();
    });
    // An end that is a break shows in the framing; Node 20 may not tell the two apart.
    socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Came, and was not taken yet. */
  get held(): Buffer {
    return this.#held;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The next whole message and its bytes; undefined when the connection ends without one, or none comes in {@link patienceMs}. */
  async next(
    options: ReadMessageOptions = {},
  ): Promise<{ readonly message: PlainMessage; readonly bytes: Buffer } | undefined> {
    const message = await this.#until(() => readMessage(this.#held, 0, { ...options, ended: this.#ended }));
    if (message === undefined) return undefined;
    const bytes = this.#held.subarray(0, message.end);
    this.#held = this.#held.subarray(message.end);
    return { message, bytes };
  }

  /** Resolves once the other side has ended or broken the connection. Throws after {@link patienceMs}. */
  async whenEnded(): Promise<void> {
    await this.#until(() => (this.#ended ? true : undefined));
    if (this.#gaveUp) throw new Error(`the other side did not end its connection within ${patienceMs} ms`);
  }

  async #until<T>(look: () => T | undefined): Promise<T | undefined> {
    const timer = setTimeout(() => {
      this.#gaveUp = true;
      this.socket.destroy();
    }, patienceMs);
    try {
      for (;;) {
        const found = look();
        if (found !== undefined || this.#ended) return found;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Writes bytes cut at these offsets, each piece as a packet of its own as far as loopback lets one choose. */
export async function writeCut(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  const edges = [0, ...cuts, bytes.length];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    const piece = bytes.subarray(from, edges[index + 1]);
    if (piece.length === 0) continue;
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    // Turns of the loop, in which a receiver in this process reads it by itself.
    if (index < edges.length - 2) await new Promise(setImmediate);
  }
}
