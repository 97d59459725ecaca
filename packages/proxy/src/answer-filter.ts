import type { Duplex } from "node:stream";
import type { ClientConnection } from "./client-connection.ts";

/** Who is told how an answer's way to the client goes. */
export interface AnswerOwner {
  /** No more is taken at present, and what was handed over last is still being written. */
  holdUpstream(): void;
  releaseUpstream(): void;
  /** All of it has been written to the client. */
  answerWritten(): void;
  /** It will not come to its end. */
  answerBroken(): void;
}

const lastChunk = Buffer.from("0\r\n\r\n");

/** An answer's body on its way through a plan's filter: rare, so copied, and chunked anew. */
export class AnswerFilter {
  readonly #stream: Duplex;
  readonly #client: ClientConnection;
  readonly #owner: AnswerOwner;

  constructor(stream: Duplex, isChunked: boolean, client: ClientConnection, owner: AnswerOwner) {
    this.#stream = stream;
    this.#client = client;
    this.#owner = owner;
    stream.on("error", () => owner.answerBroken());
    stream.on("drain", () => owner.releaseUpstream());
    stream.on("data", (piece: Buffer) => this.#passOn(Buffer.from(piece), isChunked));
    stream.on("end", () => {
      if (isChunked) client.write(lastChunk);
      owner.answerWritten();
    });
  }

  write(bytes: Buffer, from: number, to: number): void {
    if (!this.#stream.write(Buffer.from(bytes.subarray(from, to)))) this.#owner.holdUpstream();
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
