// @ts-check
// Numbers that look random and are the same for the same seed.

/** One input's numbers. Source: Tommy Ettinger's mulberry32, public domain. */
export class Random {
  #state;

  /** @param {number} seed @param {number} input */
  constructor(seed, input) {
    // Neighbouring inputs of neighbouring seeds must not be alike.
    this.#state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(input + 1, 0xc2b2ae35)) >>> 0;
    this.#next();
  }

  #next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from 0 up to, but not, `bound`. @param {number} bound */
  below(bound) {
    return this.#next() % bound;
  }

  /** True once in so many times. @param {number} times */
  once(times) {
    return this.below(times) === 0;
  }

  /** @template T @param {readonly T[]} list @returns {T} */
  of(list) {
    return /** @type {T} */ (list[this.below(list.length)]);
  }

  /** Mostly one of the first list; once in so many times of the second. @param {readonly string[]} usual @param {readonly string[]} odd */
  mostly(usual, odd, times = 12) {
    return this.once(times) ? this.of(odd) : this.of(usual);
  }
}
