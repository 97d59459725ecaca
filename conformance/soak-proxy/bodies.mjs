// @ts-check
// Bodies that tell at every byte where they belong: a window into one long row of bytes, at a place that the request names.

const rowBytes = 128 * 1024;
/** Half of the row, so that a window may begin anywhere in the other half. */
export const largeBytes = 64 * 1024;

const row = Buffer.alloc(rowBytes);
// xorshift32: the same row in every process. Source: Marsaglia, Xorshift RNGs, 2003
for (let index = 0, state = 2_463_534_242; index < rowBytes; index += 1) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  row[index] = state & 0xff;
}

/** @param {number} index Of the request. @param {number} [length] */
export function bodyOf(index, length = largeBytes) {
  const from = (index * 7_919) % (rowBytes - largeBytes);
  return row.subarray(from, from + length);
}

/**
 * Length of the pieces that a body is cut into, different from request to request. Not so short that the load, which sends a
 * piece in each turn of its event loop, would itself be too slow.
 * @param {number} index
 */
export function pieceBytes(index) {
  return 500 + ((index * 104_729) % 20_000);
}
