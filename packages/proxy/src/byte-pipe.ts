import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { UpstreamSocket } from "./upstream-socket.ts";
import type { BatchedWriter, WriteBatch } from "./write-batch.ts";

/** What a pipe tells its holder. */
export interface PipeReader {
  /**
   * Bytes came: the first `length` of `bytes`. They may be changed, and are overwritten by the next read: whoever cannot be done
   * with them at once calls {@link BytePipe.hold}.
   */
  pipeRead(bytes: Buffer, length: number): void;
  /** All that was written is on its way; told after {@link BytePipe.mustWait} was true. */
  pipeFlushed(): void;
  /** The other side will send no more. */
  pipeEnded(): void;
  /** Told last, and once. `isOrderly`: both directions had ended before. */
  pipeClosed(isOrderly: boolean, error: Error | undefined): void;
}

/** One byte pipe to an upstream: a TCP connection, or any other stream, such as a tunnel's. */
export interface BytePipe {
  readonly stream: Duplex;
  /** The bytes are the pipe's from now on: it may write them a little later. */
  write(bytes: Buffer): void;
  /** Several pieces as one packet. */
  writeAll(pieces: readonly Buffer[]): void;
  /** What was written lies here: write no more before {@link PipeReader.pipeFlushed}. */
  readonly mustWait: boolean;
  /** Nothing of what was written last has gone yet. */
  readonly isUnsent: boolean;
  /** No more will be written. */
  end(): void;
  /** Reads no more, and leaves the bytes handed over last as they are, until {@link release}. */
  hold(): void;
  release(): void;
}

/** Whoever opened the stream must not read from it any more. */
export function createBytePipe(stream: Duplex, reader: PipeReader, batch: WriteBatch): BytePipe {
  return stream instanceof UpstreamSocket
    ? new SocketPipe(stream, reader, batch)
    : new StreamPipe(stream, reader);
}

const nothing = Buffer.alloc(0);

/** Calls back when all that was written so far is with the kernel. Not called when the connection breaks before. */
export function whenFlushed(socket: Socket, done: () => void): void {
  socket.write(nothing, (error) => {
    if (error === null || error === undefined) done();
  });
}

class SocketPipe implements BytePipe, BatchedWriter {
  readonly stream: UpstreamSocket;
  readonly #reader: PipeReader;
  readonly #batch: WriteBatch;
  #batched: Buffer | undefined;
  #isWaiting = false;

  constructor(socket: UpstreamSocket, reader: PipeReader, batch: WriteBatch) {
    this.stream = socket;
    this.#reader = reader;
    this.#batch = batch;
    socket.onRead = (bytes, length) => reader.pipeRead(bytes, length);
    watchEnd(socket, reader);
  }

  write(bytes: Buffer): void {
    this.flush();
    if (this.#batch.takes(this, bytes.length)) this.#batched = bytes;
    else this.#write(bytes);
  }

  flush(): void {
    const bytes = this.#batched;
    if (bytes === undefined) return;
    this.#batched = undefined;
    // Whoever closed it meanwhile wants nothing written.
    if (!this.stream.destroyed) this.#write(bytes);
  }

  writeAll(pieces: readonly Buffer[]): void {
    this.flush();
    this.stream.cork();
    for (const piece of pieces) this.stream.write(piece);
    this.stream.uncork();
    if (this.stream.writableLength > 0) this.#wait();
  }

  get mustWait(): boolean {
    return this.#isWaiting;
  }

  get isUnsent(): boolean {
    return this.#batched !== undefined;
  }

  end(): void {
    this.flush();
    this.stream.end();
  }

  hold(): void {
    this.stream.isBufferInUse = true;
    this.stream.pause();
  }

  release(): void {
    this.stream.isBufferInUse = false;
    this.stream.resume();
  }

  #write(bytes: Buffer): void {
    this.stream.write(bytes);
    if (this.stream.writableLength > 0) this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    whenFlushed(this.stream, () => {
      this.#isWaiting = false;
      if (this.stream.writableLength > 0) this.#wait();
      else this.#reader.pipeFlushed();
    });
  }
}

class StreamPipe implements BytePipe {
  readonly stream: Duplex;
  readonly isUnsent = false;

  constructor(stream: Duplex, reader: PipeReader) {
    this.stream = stream;
    stream.on("data", (bytes: Buffer) => reader.pipeRead(bytes, bytes.length));
    stream.on("drain", () => reader.pipeFlushed());
    watchEnd(stream, reader);
  }

  write(bytes: Buffer): void {
    this.stream.write(bytes);
  }

  writeAll(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.stream.write(piece);
  }

  get mustWait(): boolean {
    return this.stream.writableNeedDrain;
  }

  end(): void {
    this.stream.end();
  }

  hold(): void {
    this.stream.pause();
  }

  release(): void {
    this.stream.resume();
  }
}

function watchEnd(stream: Duplex, reader: PipeReader): void {
  let failure: Error | undefined;
  // The close that follows tells what is to be done.
  stream.on("error", (error: Error) => {
    failure = error;
    stream.destroy();
  });
  stream.on("end", () => reader.pipeEnded());
  stream.on("close", () => reader.pipeClosed(stream.readableEnded && stream.writableFinished, failure));
}
