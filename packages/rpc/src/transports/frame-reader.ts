/** What a chunk completed: a frame's payload, or the length that a frame announced beyond the limit. */
export type ReadFrame = { readonly payload: Buffer } | { readonly tooLargeBytes: number };

const lengthBytes = 4;

/**
 * Cuts a stream of bytes into frames of a 4-byte big-endian length and a payload. Holds one frame at most, and no more
 * memory than twice what of it has come (I8). Source: Forrst specification, transport "Message Framing".
 */
export class FrameReader {
  readonly #maxBytes: number;
  /** Undefined: the length itself is being read. */
  #length: number | undefined;
  #held: Buffer = Buffer.alloc(0);
  #size = 0;
  #discardBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the stream may end here: between two frames. */
  get isBetweenFrames(): boolean {
    return this.#length === undefined && this.#size === 0 && this.#discardBytes === 0;
  }

  /** The payload of a frame that is too large is thrown away; what follows it is read on. */
  push(chunk: Buffer): ReadFrame[] {
    const frames: ReadFrame[] = [];
    let rest = this.#discard(chunk);
    for (;;) {
      const wanted = (this.#length ?? lengthBytes) - this.#size;
      if (rest.length < wanted) break;
      const whole = this.#size === 0 ? rest.subarray(0, wanted) : this.#complete(rest.subarray(0, wanted));
      rest = rest.subarray(wanted);
      this.#size = 0;
      if (this.#length !== undefined) {
        this.#length = undefined;
        this.#held = Buffer.alloc(0);
        frames.push({ payload: whole });
        continue;
      }
      const length = whole.readUInt32BE(0);
      if (length <= this.#maxBytes) {
        this.#length = length;
      } else {
        frames.push({ tooLargeBytes: length });
        this.#discardBytes = length;
        rest = this.#discard(rest);
      }
    }
    if (rest.length > 0) this.#hold(rest);
    return frames;
  }

  #discard(chunk: Buffer): Buffer {
    const thrownAway = Math.min(this.#discardBytes, chunk.length);
    this.#discardBytes -= thrownAway;
    return chunk.subarray(thrownAway);
  }

  #complete(end: Buffer): Buffer {
    this.#hold(end);
    return this.#held.subarray(0, this.#size);
  }

  /** Doubling keeps the copying linear however small the pieces are. */
  #hold(piece: Buffer): void {
    const size = this.#size + piece.length;
    if (size > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, this.#held.length * 2));
      this.#held.copy(larger, 0, 0, this.#size);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#size);
    this.#size = size;
  }
}

/** A frame around JSON text. */
export function writeFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(lengthBytes + bytes);
  frame.writeUInt32BE(bytes, 0);
  frame.write(text, lengthBytes);
  return frame;
}
