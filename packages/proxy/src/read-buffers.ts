/**
 * One read from an upstream, and all that is held of an answer (I8): 64 KiB of its body, and a head before it. Without room for the
 * head, an answer of 64 KiB takes a second read and write for its last bytes, which cost a fifth of all it costs to pass it on.
 */
const readBufferBytes = (64 + 4) * 1024;

/** Unused ones kept, so that connections that come and go allocate nothing: some 4 MiB for a process. */
const maxFreeBuffers = 64;

const free: Buffer[] = [];

export function takeReadBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(readBufferBytes);
}

/** The caller must not touch it any more. */
export function giveReadBuffer(buffer: Buffer): void {
  if (free.length < maxFreeBuffers) free.push(buffer);
}
