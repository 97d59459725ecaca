import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type Http2Server,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Http2Pair extends AsyncDisposable {
  readonly url: string;
  readonly session: ClientHttp2Session;
  /** Sends a request and returns the body of the answer. */
  send(headers?: OutgoingHttpHeaders, body?: string): Promise<string>;
}

/** An HTTP/2 server without TLS on a random port, and one session to it, which is still connecting. */
export async function http2Pair(server: Http2Server, host = "127.0.0.1"): Promise<Http2Pair> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://${host}:${(server.address() as AddressInfo).port}`;
  const session = connect(url);
  return {
    url,
    session,
    send: (headers, body) => answerTo(session.request(headers, { endStream: false }), body),
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Ends the request, where it is still open, and returns the body of the answer. */
export async function answerTo(stream: ClientHttp2Stream, body?: string): Promise<string> {
  if (!stream.writableEnded) stream.end(body);
  return text(stream);
}
