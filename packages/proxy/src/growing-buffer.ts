const leastBytes = 1_024;

/**
 * Bytes that wait, at first where they were read. Grows by doubling when more come, so that n bytes cost O(n) however small the
 * pieces are.
 */
export class GrowingBuffer {
  bytes: Buffer;
  from: number;
  to: number;
  #isOwn = false;

  constructor(bytes: Buffer, from: number, to: number) {
    this.bytes = bytes;
    this.from = from;
    this.to = to;
  }

  /** Of bytes that will be overwritten. */
  static copyOf(bytes: Buffer, from: number, to: number): GrowingBuffer {
    const copy = new GrowingBuffer(bytes, from, to);
    copy.#grow(to - from);
    return copy;
  }

  get length(): number {
    return this.to - this.from;
  }

  append(piece: Buffer, from = 0, to: number = piece.length): void {
    const count = to - from;
    if (!this.#isOwn || this.to + count > this.bytes.length) this.#grow(this.length + count);
    piece.copy(this.bytes, this.to, from, to);
    this.to += count;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(leastBytes, needed * 2));
    this.bytes.copy(larger, 0, this.from, this.to);
    this.to -= this.from;
    this.from = 0;
    this.bytes = larger;
    this.#isOwn = true;
  }
}
