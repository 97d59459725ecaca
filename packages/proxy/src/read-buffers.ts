/** One read from an upstream: what a kernel hands over at once, and all that is held of an answer (I8). */
const readBufferBytes = 64 * 1024;

/** Unused ones kept, so that connections that come and go allocate nothing: 4 MiB for a process. */
const maxFreeBuffers = 64;

const free: Buffer[] = [];

export function takeReadBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(readBufferBytes);
}

/** The caller must not touch it any more. */
export function giveReadBuffer(buffer: Buffer): void {
  if (free.length < maxFreeBuffers) free.push(buffer);
}
