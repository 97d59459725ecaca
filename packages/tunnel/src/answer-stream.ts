import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { join, type PipeEnd } from "./join.ts";
import { errorHeader } from "./protocol.ts";
import { serializeRefusal, statusOf, TunnelError, tunnelError } from "./tunnel-error.ts";

/** A CONNECT that came in. */
export type StreamHeaders = IncomingHttpHeaders;

/**
 * Answers a stream: connects its far end, says 200 only then, and joins the two. What `connect` throws is the
 * refusal; its signal aborts when the asker goes away meanwhile. Returns the refusal, if any. Never rejects.
 */
export async function answerStream(
  stream: ServerHttp2Stream,
  connect: (signal: AbortSignal) => Promise<PipeEnd>,
): Promise<TunnelError | undefined> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  // `close` follows, and is listened for here and by the join.
  stream.on("error", () => {});
  stream.once("close", leave);
  try {
    const end = await connect(gone.signal);
    if (stream.destroyed || stream.closed) {
      end.on("error", () => {});
      end.destroy();
      return undefined;
    }
    stream.off("close", leave);
    stream.respond({ ":status": 200 });
    join(stream, end);
    return undefined;
  } catch (error) {
    const refusal =
      error instanceof TunnelError
        ? error
        : tunnelError("E_TUNNEL_PROTOCOL", "the stream could not be opened", error);
    refuseStream(stream, refusal);
    return refusal;
  }
}

function refuseStream(stream: ServerHttp2Stream, refusal: TunnelError): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond(
    { ":status": statusOf(refusal), [errorHeader]: serializeRefusal(refusal) },
    { endStream: true },
  );
  // The asker ends its side; what it may have sent already is thrown away.
  stream.resume();
}
