import type { Duplex } from "node:stream";
import { type Reach, reach } from "./reach.ts";
import type { Upstream } from "./types.ts";
import type { TapStream, WiretapDrop, WiretapLimits } from "./wiretap.ts";

export interface WiretapCopyOptions {
  readonly upstream: Upstream;
  readonly limits: WiretapLimits;
  /** Asks for memory; false when a limit is reached. */
  hold(bytes: number): boolean;
  release(bytes: number): void;
  /** The request was sent whole. */
  onSent(): void;
  onDropped(why: WiretapDrop): void;
  /** Nothing of it is left. Called once, always. */
  onOver(): void;
}

/** Ends the connection with the answer, so that the answer need not be understood to know where it ends. */
const closing = Buffer.from("Connection: close\r\n\r\n");

/**
 * One request on its way to a tap:
 *
 *   reach (what comes is held) → send → answer (read and forgotten) → over
 */
export class WiretapCopy implements TapStream {
  readonly #options: WiretapCopyOptions;
  #reaching: Reach | undefined;
  /** What came before the connection. */
  #waiting: Buffer[] = [];
  /** Bytes that were asked for and not given back. */
  #held = 0;
  #stream: Duplex | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  #hasAnswer = false;
  #isOver = false;

  constructor(options: WiretapCopyOptions) {
    this.#options = options;
  }

  start(head: Buffer): void {
    // Before the empty line that ends the head.
    this.#take(Buffer.concat([head.subarray(0, head.length - 2), closing]));
    if (this.#isOver) return;
    const { upstream, limits } = this.#options;
    this.#reaching = reach((signal) => upstream.connect(signal), limits.connectTimeoutMs, {
      reached: (stream) => {
        if (this.#isOver) stream.destroy();
        else this.#connected(stream);
      },
      failed: () => this.#drop("unreachable"),
    });
  }

  write(bytes: Buffer): void {
    // The one who writes may use the memory again.
    if (!this.#isOver) this.#take(Buffer.from(bytes));
  }

  end(): void {
    if (this.#isOver || this.#hasEnded) return;
    this.#hasEnded = true;
    this.#awaitAnswer();
  }

  abort(): void {
    this.#finish();
  }

  #take(bytes: Buffer): void {
    if (!this.#options.hold(bytes.length)) {
      this.#drop("slow");
      return;
    }
    this.#held += bytes.length;
    if (this.#stream === undefined) this.#waiting.push(bytes);
    else this.#send(this.#stream, bytes);
  }

  #connected(stream: Duplex): void {
    this.#stream = stream;
    stream.on("error", () => stream.destroy());
    stream.on("close", () => this.#closed());
    stream.on("end", () => stream.destroy());
    stream.on("data", () => {
      this.#hasAnswer = true;
    });
    for (const bytes of this.#waiting) this.#send(stream, bytes);
    this.#waiting = [];
    this.#awaitAnswer();
  }

  #send(stream: Duplex, bytes: Buffer): void {
    stream.write(bytes, (error) => {
      // The close that follows tells of an error.
      if (this.#isOver || error) return;
      this.#held -= bytes.length;
      this.#options.release(bytes.length);
      this.#awaitAnswer();
    });
  }

  /** All is sent: the answer has its time. */
  #awaitAnswer(): void {
    if (!this.#hasEnded || this.#held > 0 || this.#isOver) return;
    this.#options.onSent();
    this.#timer = setTimeout(() => this.#finish(), this.#options.limits.answerTimeoutMs).unref();
  }

  /** An answer may come before all is sent; whoever gave it has seen what was wanted. */
  #closed(): void {
    const isSent = this.#hasEnded && this.#held === 0;
    if (isSent) this.#finish();
    else if (this.#hasAnswer) {
      this.#options.onSent();
      this.#finish();
    } else this.#drop("broken");
  }

  #drop(why: WiretapDrop): void {
    if (this.#isOver) return;
    this.#options.onDropped(why);
    this.#finish();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#reaching?.abort();
    this.#stream?.destroy();
    this.#waiting = [];
    this.#options.release(this.#held);
    this.#options.onOver();
  }
}
