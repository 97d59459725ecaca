import type { ChunkFault } from "@clew/wire";
import type { BytePipe } from "./byte-pipe.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { ProxyLimits } from "./limits.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { RequestTaps } from "./request-taps.ts";
import type { Tap } from "./wiretap.ts";

/**
 * A request on its way to an upstream: its own bytes, at the upstream's pace. What has been sent is held up to a limit, so that it
 * can be sent to another upstream (I3), until {@link letGo}; what has not been sent yet is held in any case, while the client is
 * asked to wait.
 */
export class RequestSender {
  readonly #request: ReceivedRequest;
  readonly #client: ClientConnection;
  readonly #limits: ProxyLimits;
  readonly #taps: RequestTaps | undefined;
  /** What is held: all of it from the request's beginning, or nothing. */
  #isHeld = true;
  #more: Buffer[] | undefined;
  #heldBytes: number;
  #pipe: BytePipe | undefined;
  #isDiscarding = false;

  constructor(
    request: ReceivedRequest,
    client: ClientConnection,
    limits: ProxyLimits,
    taps: readonly Tap[] | undefined,
  ) {
    this.#request = request;
    this.#client = client;
    this.#limits = limits;
    this.#heldBytes = request.first.length - request.headLength;
    this.#taps = taps === undefined || request.asksUpgrade ? undefined : new RequestTaps(taps);
  }

  /** All of it came from the client. */
  get isComplete(): boolean {
    return this.#request.body === undefined || this.#request.body.isComplete;
  }

  /** All of it is on its way. */
  get isSent(): boolean {
    return this.isComplete && this.#pipe?.mustWait === false;
  }

  /** Sending it twice is allowed, and possible. */
  get mayRepeat(): boolean {
    return this.#isHeld && this.#request.isRepeatable;
  }

  /** More is to come, and nothing here keeps the client from sending it. */
  get isWaitingForClient(): boolean {
    return !this.isComplete && (this.#isDiscarding || this.#pipe?.mustWait === false);
  }

  /** Its body is malformed. */
  get fault(): ChunkFault | undefined {
    return this.#request.body?.fault;
  }

  /** Sends what is held, and from now on what comes. */
  sendTo(pipe: BytePipe): void {
    this.#pipe = pipe;
    const { first } = this.#request;
    if (this.#more === undefined) pipe.write(first);
    else pipe.writeAll([first, ...this.#more]);
    if (this.#taps !== undefined) {
      this.#taps.begin(this.#request, this.#more);
      if (this.isComplete) this.#taps.end();
    }
    if (this.#request.body === undefined) return;
    if (!this.#request.isRepeatable || this.#heldBytes > this.#limits.replayBufferBytes) this.letGo();
    if (this.isComplete) return;
    if (pipe.mustWait) this.#client.pause();
    else this.#client.resume();
  }

  /** More of the body. Returns where it ends in these bytes, or they do. With a {@link fault}, none of them were sent. */
  read(bytes: Buffer): number {
    const { body } = this.#request;
    if (body === undefined) return 0;
    const end = body.read(bytes, 0, bytes.length);
    if (body.fault !== undefined || this.#isDiscarding) return end;
    const piece = end === bytes.length ? bytes : bytes.subarray(0, end);
    if (this.#pipe === undefined) {
      // Not sent yet. At most a read or two, as the client waits.
      this.#more ??= [];
      this.#more.push(piece);
      this.#heldBytes += piece.length;
      this.#client.pause();
    } else {
      this.#hold(piece);
      this.#pipe.write(piece);
      if (!body.isComplete && this.#pipe.mustWait) this.#client.pause();
    }
    if (this.#taps !== undefined) {
      this.#taps.write(piece);
      if (body.isComplete) this.#taps.end();
    }
    return end;
  }

  /** The upstream took what it was sent. */
  flushed(): void {
    if (!this.isComplete) this.#client.resume();
  }

  /** Its upstream is gone; what comes meanwhile is left with the client. */
  detach(): void {
    this.#pipe = undefined;
    if (!this.isComplete && !this.#isDiscarding) this.#client.pause();
  }

  /** It will not be sent again: no more is held. */
  letGo(): void {
    this.#isHeld = false;
    this.#more = undefined;
  }

  /** Reads the rest and drops it. */
  discard(): void {
    this.abort();
    if (!this.isComplete) this.#client.resume();
  }

  /** There will be no more of it. */
  abort(): void {
    this.letGo();
    this.#pipe = undefined;
    this.#isDiscarding = true;
    this.#taps?.abort();
  }

  #hold(piece: Buffer): void {
    if (!this.#isHeld) return;
    this.#heldBytes += piece.length;
    this.#more ??= [];
    if (this.#heldBytes > this.#limits.replayBufferBytes) this.letGo();
    else if (this.#more.length < maxHeldPieces) this.#more.push(piece);
    else this.#more = [Buffer.concat([...this.#more, piece])];
  }
}

/** Pieces are joined beyond that: a body of tiny pieces would cost far more than its bytes. */
const maxHeldPieces = 256;
