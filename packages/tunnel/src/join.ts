import { constants, type Http2Stream } from "node:http2";
import type { Socket } from "node:net";

/** What a byte pipe is made of: a TCP socket (with `allowHalfOpen`) or an HTTP/2 stream. */
export type PipeEnd = Socket | Http2Stream;

/**
 * How a pipe ended before both directions were over. `closed`: its owner let go of it, as `destroy()` does to a
 * socket; `reset`: it was broken, or its connection was. Both cut; the first is not an error in the other's eyes.
 */
export type Break = "closed" | "reset";

/** Whether what was read so far is all there was: Node also emits `end` for a stream that was cut. */
export function endedWhole(stream: Http2Stream): boolean {
  return stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted;
}

/** Whether both directions came to their end. To be asked when the stream has closed. */
export function finishedWhole(end: PipeEnd): boolean {
  // Node may close a stream whose last frame it has sent before it says so with `finish`.
  if ("rstCode" in end) return end.readableEnded && end.writableEnded && endedWhole(end);
  return end.readableEnded && end.writableFinished;
}

/** Cuts an end, and says to its other side how. */
export function breakOff(end: PipeEnd, how: Break): void {
  if (end.destroyed) return;
  if ("rstCode" in end) {
    // Not `close()`: Node sends the end of the stream before its reset, and the other side would see a clean end.
    if (how === "reset") end.destroy(new Error("the other end of the pipe was reset"));
    else end.close(constants.NGHTTP2_CANCEL);
  } else if (how === "reset") {
    end.resetAndDestroy();
  } else {
    end.destroy();
  }
}

/**
 * Joins two ends into one byte pipe, with backpressure both ways. An end of one direction passes by itself, and a
 * break of either end breaks the other in the same way.
 */
export function join(left: PipeEnd, right: PipeEnd): void {
  pump(left, right);
  pump(right, left);
}

function pump(from: PipeEnd, to: PipeEnd): void {
  const breakOf = watchBreak(from);
  from.on("data", (bytes: Buffer) => {
    if (!to.write(bytes)) from.pause();
  });
  to.on("drain", () => from.resume());
  from.on("end", () => {
    if (!("rstCode" in from) || endedWhole(from)) to.end();
  });
  // `close` follows, and is where a break is passed on.
  from.on("error", () => {});
  from.on("close", () => {
    const how = breakOf();
    if (how !== undefined) breakOff(to, how);
  });
}

/** Node cancels the streams of a lost connection with the same code that a peer sends who lets go of one: told apart here. */
function watchBreak(end: PipeEnd): () => Break | undefined {
  const session = "rstCode" in end ? end.session : undefined;
  return () => {
    if (finishedWhole(end)) return undefined;
    const letGo =
      "rstCode" in end && end.rstCode === constants.NGHTTP2_CANCEL && session?.destroyed === false;
    return letGo ? "closed" : "reset";
  };
}
