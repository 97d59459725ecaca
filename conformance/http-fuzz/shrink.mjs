// @ts-check
// Makes a failing message as short as it gets while it still fails.

/** So many tries are enough for messages of a few kilobytes. */
const maxTries = 3_000;

/** @param {Buffer} bytes @param {(bytes: Buffer) => Promise<boolean>} fails @returns {Promise<Buffer>} */
export async function shrink(bytes, fails) {
  let smallest = bytes;
  let tries = 0;
  for (let size = Math.max(1, smallest.length >> 1); size >= 1 && tries < maxTries; size >>= 1) {
    let removed = true;
    while (removed && tries < maxTries) {
      removed = false;
      for (let from = 0; from < smallest.length && tries < maxTries; ) {
        const candidate = Buffer.concat([smallest.subarray(0, from), smallest.subarray(from + size)]);
        tries++;
        if (await fails(candidate)) {
          smallest = candidate;
          removed = true;
        } else from += size;
      }
    }
  }
  return smallest;
}
