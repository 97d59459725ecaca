import type { Duplex } from "node:stream";
import type { ClientConnection } from "./client-connection.ts";

export interface FilterEvents {
  /** No more can be taken of the upstream. */
  pause(): void;
  resume(): void;
  /** All of the body has been written to the client. */
  ended(): void;
  failed(): void;
}

const lastChunk = Buffer.from("0\r\n\r\n");

/** An answer's body on its way through a plan's filter: rare, so copied, and chunked anew. */
export class AnswerFilter {
  readonly #stream: Duplex;
  readonly #client: ClientConnection;

  constructor(stream: Duplex, client: ClientConnection, isChunked: boolean, events: FilterEvents) {
    this.#stream = stream;
    this.#client = client;
    stream.on("error", () => events.failed());
    stream.on("drain", () => events.resume());
    stream.on("data", (piece: Buffer) => this.#passOn(Buffer.from(piece), isChunked));
    stream.on("end", () => {
      if (isChunked) client.write(lastChunk);
      events.ended();
    });
    this.#pauseUpstream = () => events.pause();
  }

  readonly #pauseUpstream: () => void;

  write(bytes: Buffer, from: number, to: number): void {
    if (!this.#stream.write(Buffer.from(bytes.subarray(from, to)))) this.#pauseUpstream();
  }

  end(): void {
    this.#stream.end();
  }

  /** The client takes more. */
  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #passOn(piece: Buffer, isChunked: boolean): void {
    if (piece.length === 0) return;
    if (isChunked)
      this.#client.writeAll([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]);
    else this.#client.write(piece);
    if (this.#client.mustWait) this.#stream.pause();
  }
}
