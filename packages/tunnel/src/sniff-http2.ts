import type { Socket } from "node:net";
import { defaultTunnelLimits } from "./limits.ts";

/** What every HTTP/2 client sends first. Source: RFC 9113 §3.4. */
const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Tells what a fresh connection on a shared port speaks. The bytes it read are back in the socket's buffer:
 * hand it on at once, with `relay.handleHttp2(socket)` or `httpServer.emit("connection", socket)`.
 * A connection that says nothing for `timeoutMs`, or ends, is destroyed: `closed`. Never rejects.
 */
export function sniffHttp2(
  socket: Socket,
  timeoutMs: number = defaultTunnelLimits.sniffTimeoutMs,
): Promise<"http2" | "http1" | "closed"> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const settle = (kind: "http2" | "http1" | "closed"): void => {
      clearTimeout(timer);
      socket.off("readable", read).off("end", close).off("close", close);
      if (kind === "closed") {
        // The error handler stays: a destroyed socket may still report one.
        socket.destroy();
      } else {
        socket.off("error", close).unshift(seen);
      }
      resolve(kind);
    };
    const close = (): void => settle("closed");
    // `readable`, not `data`: a socket that was paused would have to be resumed by whoever gets it.
    const read = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
      const length = Math.min(seen.length, preface.length);
      if (!seen.subarray(0, length).equals(preface.subarray(0, length))) settle("http1");
      else if (length === preface.length) settle("http2");
    };
    const timer = setTimeout(close, timeoutMs);
    socket.on("readable", read).once("end", close).once("close", close).on("error", close);
  });
}
