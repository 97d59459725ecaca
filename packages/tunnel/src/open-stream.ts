import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import type { Connection } from "./connection.ts";
import type { TunnelLimits } from "./limits.ts";
import { errorHeader } from "./protocol.ts";
import { parseRefusal, tunnelError } from "./tunnel-error.ts";

export interface StreamRequest {
  /** `<name>:<port>`. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly limits: TunnelLimits;
  /** Which limit says how many streams the connection may have at once. */
  readonly maxStreams: "maxStreamsPerSession" | "maxStreamsPerConnection";
  readonly signal: AbortSignal;
}

/**
 * Opens a byte pipe on a client's connection, and waits until its far end is connected. Rejects with the far end's
 * refusal, with `E_TUNNEL_TIMEOUT`, `E_TUNNEL_STREAMS`, `E_TUNNEL_RESET` or with the signal's reason.
 */
export function openStream(connection: Connection, request: StreamRequest): Promise<ClientHttp2Stream> {
  const { target, headers, limits, maxStreams, signal } = request;
  const timeoutMs = limits.openTimeoutMs;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    if (!connection.isOpen)
      throw connection.reason ?? tunnelError("E_TUNNEL_RESET", "the connection is closing");
    if (connection.streamCount >= limits[maxStreams]) {
      const message = `${target} not opened: ${limits[maxStreams]} streams run already (${maxStreams})`;
      throw tunnelError("E_TUNNEL_STREAMS", message);
    }
    const stream = (connection.session as ClientHttp2Session).request(
      { ...headers, ":method": "CONNECT", ":authority": target },
      { endStream: false },
    );
    connection.add(stream);
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      stream.off("response", answered).off("close", closed);
      if (error === undefined) resolve(stream);
      else reject(error);
    };
    const cancel = (error: unknown): void => {
      settle(error);
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const abort = (): void => cancel(signal.reason);
    const timer = setTimeout(() => {
      cancel(tunnelError("E_TUNNEL_TIMEOUT", `${target} not connected within ${timeoutMs} ms`));
    }, timeoutMs);
    const answered = (answer: Readonly<Record<string, unknown>>): void => {
      const isOpen = answer[":status"] === 200;
      settle(isOpen ? undefined : refusalOf(answer, target));
      // An orderly end: Node counts resets, and ends the connection of a peer that sends many.
      if (!isOpen) stream.resume().end();
    };
    const closed = (): void => settle(closeReason(connection, stream, target));
    signal.addEventListener("abort", abort, { once: true });
    stream.once("response", answered).once("close", closed).on("error", ignore);
  });
}

/** `close` follows every error of a stream, and is what is listened for. */
function ignore(): void {}

function refusalOf(answer: Readonly<Record<string, unknown>>, target: string): Error {
  const reason = answer[errorHeader];
  return (
    parseRefusal(typeof reason === "string" ? reason : undefined) ??
    tunnelError("E_TUNNEL_PROTOCOL", `${target} was answered ${String(answer[":status"])} without a reason`)
  );
}

function closeReason(connection: Connection, stream: ClientHttp2Stream, target: string): Error {
  // The peer's goodbye was under way when the stream was opened. Source: RFC 9113 §6.8.
  if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) {
    return tunnelError("E_TUNNEL_DRAINING", `${target} not opened: the other side is closing`);
  }
  return tunnelError("E_TUNNEL_RESET", `the connection broke while ${target} was opened`, connection.reason);
}
