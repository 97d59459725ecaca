import type { ClientRequest, IncomingMessage } from "node:http";
import { headerPairs } from "./headers.ts";
import { announcesBody } from "./request-head.ts";

/** Pieces are joined beyond that: a body of tiny chunks would cost far more than its bytes. */
const maxHeldPieces = 256;

/**
 * A request's body on its way. Nothing is read before the first {@link sendTo}. What has been sent is held up to a limit, so that
 * it can be sent to another upstream (I3), until {@link letGo}.
 */
export class RequestBody {
  readonly #source: IncomingMessage;
  readonly #isEmpty: boolean;
  readonly #maxHeldBytes: number;
  #held: Buffer[] | undefined = [];
  #heldBytes = 0;
  #isStarted = false;
  #sink: ClientRequest | undefined;

  constructor(source: IncomingMessage, maxHeldBytes: number) {
    this.#source = source;
    this.#isEmpty = !announcesBody(source);
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** All that was read of it is still held: it can be sent again. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  /** All of it was read from the client. */
  get isComplete(): boolean {
    return this.#isEmpty || this.#source.readableEnded;
  }

  /** Sends what is held, then what comes, with the sink's backpressure; ends the sink at its end. */
  sendTo(sink: ClientRequest): void {
    this.#sink = sink;
    for (const piece of this.#held ?? []) sink.write(piece);
    if (this.isComplete) this.#end(sink);
    else this.#flowInto(sink);
  }

  #flowInto(sink: ClientRequest): void {
    this.#start();
    // Whoever waits with the body (`expect`, or a stream of its own pace) wants the head to be on its way.
    if (this.#source.readableLength === 0) sink.flushHeaders();
    this.#source.resume();
  }

  /** Stops sending; what comes meanwhile is left with the client. */
  detach(): void {
    this.#sink = undefined;
    if (!this.#isEmpty) this.#source.pause();
  }

  /** It will not be sent again: no more is held. */
  letGo(): void {
    this.#held = undefined;
  }

  /** Reads the rest and drops it. */
  discard(): void {
    this.letGo();
    this.#sink = undefined;
    this.#source.resume();
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#source.on("data", (piece: Buffer) => {
      this.#hold(piece);
      const sink = this.#sink;
      // Not by `drain`: node:http no longer tells it when the answer is over before the body.
      const goOn = (): void => {
        if (this.#sink === sink) this.#source.resume();
      };
      if (sink?.write(piece, goOn) === false) this.#source.pause();
    });
    this.#source.on("end", () => {
      if (this.#sink !== undefined) this.#end(this.#sink);
    });
  }

  #hold(piece: Buffer): void {
    if (this.#held === undefined) return;
    this.#heldBytes += piece.length;
    if (this.#heldBytes > this.#maxHeldBytes) this.letGo();
    else if (this.#held.length < maxHeldPieces) this.#held.push(piece);
    else this.#held = [Buffer.concat([...this.#held, piece])];
  }

  #end(sink: ClientRequest): void {
    const { rawTrailers } = this.#source;
    if (rawTrailers.length > 0) sink.addTrailers(headerPairs(rawTrailers));
    sink.end();
  }
}
