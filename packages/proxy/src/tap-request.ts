import type { IncomingMessage } from "node:http";
import { headBytes, headerLines } from "./headers.ts";
import { announcesBody } from "./request-head.ts";
import type { Tap } from "./wiretap.ts";

const lastChunk = Buffer.from("0\r\n\r\n");

/** Gives taps a request as it goes upstream: its head, then its body while that is read. */
export function tapRequest(taps: readonly Tap[], request: IncomingMessage, headers: readonly string[]): void {
  const head = headBytes(`${request.method} ${request.url} HTTP/1.1`, headers);
  const streams = taps.flatMap((tap) => tap.open(head) ?? []);
  if (streams.length === 0) return;
  const each = (tell: (stream: (typeof streams)[number]) => void): void => {
    for (const stream of streams) tell(stream);
  };
  if (!announcesBody(request)) {
    each((stream) => stream.end());
    return;
  }
  const isChunked = headerLines(headers, "transfer-encoding").length > 0;
  request.on("data", (bytes: Buffer) => {
    const framed = isChunked ? chunkOf(bytes) : bytes;
    each((stream) => stream.write(framed));
  });
  request.on("end", () => {
    if (isChunked) each((stream) => stream.write(lastChunk));
    each((stream) => stream.end());
  });
  request.on("close", () => {
    if (!request.complete) each((stream) => stream.abort());
  });
}

function chunkOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}
