import type { ClientHttp2Stream } from "node:http2";
import { Duplex } from "node:stream";
import { breakOff, endedWhole, finishedWhole } from "./join.ts";
import { tunnelError } from "./tunnel-error.ts";

/**
 * An open stream in the dress of a `net.Socket`, for `http.Agent` and everything else that takes one.
 *
 * - A cut stream is never a clean end: it destroys the pipe with `E_TUNNEL_RESET`.
 * - `destroy()` lets go of it as of a socket: the other side sees its connection closed. `destroy(error)` and
 *   `resetAndDestroy()` reset it there.
 * - Half-open is allowed; set `allowHalfOpen = false` to have it close by itself when the other side ends.
 */
export class TunnelPipe extends Duplex {
  /** As `http.Agent` reads it; in ms. */
  timeout = 0;
  readonly connecting = false;
  readonly #stream: ClientHttp2Stream;

  constructor(stream: ClientHttp2Stream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
    stream.pause();
    stream.on("data", (bytes: Buffer) => {
      if (!this.push(bytes)) stream.pause();
    });
    stream.on("end", () => {
      if (endedWhole(stream)) this.push(null);
    });
    stream.on("timeout", () => this.emit("timeout"));
    // `close` follows, and is where a break is told.
    stream.on("error", () => {});
    stream.on("close", () => {
      if (!finishedWhole(stream))
        this.destroy(tunnelError("E_TUNNEL_RESET", "the tunnel's stream was reset"));
    });
  }

  override _read(): void {
    this.#stream.resume();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Not the write's own callback: that would let only one piece be under way.
    if (this.#stream.write(bytes)) done();
    else this.#stream.once("drain", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // Its error is told by `close`; and there is none if it closed whole before it said `finish`.
    this.#stream.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!finishedWhole(this.#stream)) breakOff(this.#stream, error === null ? "closed" : "reset");
    done(error);
  }

  resetAndDestroy(): this {
    breakOff(this.#stream, "reset");
    return this.destroy();
  }

  /** Ends the writing side, and lets go of the pipe once that is written. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Emits `timeout` after this time without a byte in either direction; 0 takes it back. */
  setTimeout(timeoutMs: number, listener?: () => void): this {
    this.timeout = timeoutMs;
    this.#stream.setTimeout(timeoutMs);
    if (listener !== undefined && timeoutMs === 0) this.off("timeout", listener);
    else if (listener !== undefined) this.once("timeout", listener);
    return this;
  }

  /** For callers that take a socket: the connection underneath is always without delay. */
  setNoDelay(): this {
    return this;
  }

  /** For callers that take a socket: the connection underneath is pinged. */
  setKeepAlive(): this {
    return this;
  }

  /** For callers that take a socket: a stream never keeps a process alive on its own, its connection does. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
