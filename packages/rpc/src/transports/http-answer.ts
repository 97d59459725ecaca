import type { Readable } from "node:stream";
import type { TransportAnswer } from "../client/transport.ts";
import { maxResponseBytes } from "../envelope/limits.ts";
import { EventStreamParser, type ServerSentEvent } from "../extensions/event-stream-parser.ts";
import { eventStreamType } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";

/** What an HTTP answer of either version is, by its head. */
export function readHttpAnswer(
  url: URL,
  status: number,
  contentType: string | undefined,
  body: Readable,
): TransportAnswer {
  if (contentType?.startsWith(eventStreamType) === true) return { kind: "events", batches: parse(url, body) };
  return { kind: "document", status, contentType, chunks: body };
}

async function* parse(url: URL, body: Readable): AsyncGenerator<readonly ServerSentEvent[], void> {
  const parser = new EventStreamParser(maxResponseBytes);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const events = parser.push(chunk);
    if (events === "too-large") {
      const message = `${url.href} sent an event of more than ${maxResponseBytes} bytes`;
      throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", message);
    }
    yield events;
  }
}
