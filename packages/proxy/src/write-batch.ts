/** Keeps what is to be written until it is told to. */
export interface BatchedWriter {
  flush(): void;
}

/** Larger pieces are written at once: copying them is the cost, and they would only pile up. */
const maxBatchedBytes = 8 * 1024;

/**
 * Where much is to do, small pieces for upstreams are written when all that came in one turn of the event loop has been read.
 * Reading and writing by turns empties the caches of each other's code and data, which costs 4 % of all that a small request costs.
 * Where little is to do, a turn has one piece, and waiting for its end would only cost: then they are written at once.
 */
export class WriteBatch {
  readonly #busyWritesPerSecond: number;
  #isBusy: boolean;
  #writes = 0;
  #waiting: BatchedWriter[] = [];

  /** Waits for the end of the turn from so many writes in a second; 0: always. */
  constructor(busyWritesPerSecond: number) {
    this.#busyWritesPerSecond = busyWritesPerSecond;
    this.#isBusy = busyWritesPerSecond === 0;
  }

  /** Whether the writer is to keep a piece of this size, and will be told to flush; else it writes it now. */
  takes(writer: BatchedWriter, bytes: number): boolean {
    this.#writes++;
    if (!this.#isBusy || bytes > maxBatchedBytes) return false;
    if (this.#waiting.push(writer) === 1) setImmediate(this.#flush);
    return true;
  }

  /** So many ms have passed since the last call. */
  sweep(passedMs: number): void {
    this.#isBusy = this.#writes >= (this.#busyWritesPerSecond * passedMs) / 1_000;
    this.#writes = 0;
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const writer of waiting) writer.flush();
  };
}
