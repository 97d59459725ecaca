import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Ends a connection so that the other side sees a break, not an end. */
export function breakOff(stream: Duplex): void {
  // A reset after an end would fail, and leave the connection open for ever.
  if (stream instanceof Socket && !stream.destroyed && !stream.writableEnded) stream.resetAndDestroy();
  else stream.destroy();
}
