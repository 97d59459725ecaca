import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import type { PreparedRequest } from "../client/prepare-request.ts";
import type { ClientTransport, SendOptions, TransportAnswer } from "../client/transport.ts";
import { readHttpAnswer } from "./http-answer.ts";
import { unreachable } from "./http-client.ts";
import { nodeHttp2 } from "./node-http.ts";
import type { TlsClientOptions } from "./tls-options.ts";

/** How long an unused connection is kept. A minute: opening one costs TLS, keeping one costs next to nothing. */
const idleSessionMs = 60_000;

/**
 * HTTP/2. Calls share one connection; streams have one of their own each, since what one leaves unread takes from the
 * connection's window, and so from the calls. The next call opens a new connection when the old one is gone or told
 * to go away.
 */
export function createHttp2Client(url: URL, tls: TlsClientOptions): ClientTransport {
  const origin = `${url.protocol === "h2:" ? "https" : "http"}://${url.host}`;
  let shared: ClientHttp2Session | undefined;

  const open = (): ClientHttp2Session => {
    const session = nodeHttp2().connect(origin, tls);
    // Each of its streams hears of it as well.
    session.on("error", () => {});
    session.on("goaway", () => {
      if (shared === session) shared = undefined;
    });
    session.setTimeout(idleSessionMs, () => session.close());
    return session;
  };
  const getShared = (): ClientHttp2Session => {
    if (shared === undefined || shared.closed || shared.destroyed) shared = open();
    return shared;
  };
  return {
    async send(request, options) {
      for (let attempt = 0; ; attempt++) {
        const isReused = !options.isStream && shared !== undefined && !shared.closed && !shared.destroyed;
        const session = options.isStream ? open() : getShared();
        const stream = start(session, url, request, options);
        if (options.isStream) stream.once("close", () => session.close());
        try {
          return await head(url, stream);
        } catch (error) {
          if (options.signal.aborted) throw options.signal.reason;
          const isUnseen = stream.rstCode === nodeHttp2().constants.NGHTTP2_REFUSED_STREAM;
          if (isReused && attempt === 0 && (options.isRepeatable || isUnseen)) continue;
          throw unreachable(url, error);
        }
      }
    },
    close() {
      shared?.close();
      shared = undefined;
    },
  };
}

/** Calls under way by connection. */
const callsOf = new WeakMap<ClientHttp2Session, number>();

function start(
  session: ClientHttp2Session,
  url: URL,
  { headers, body }: PreparedRequest,
  { signal }: SendOptions,
): ClientHttp2Stream {
  const path = `${url.pathname || "/"}${url.search}`;
  // A connection without calls keeps no process alive.
  session.ref();
  const stream = session.request({ ...headers, ":method": "POST", ":path": path }, { signal });
  const running = (callsOf.get(session) ?? 0) + 1;
  callsOf.set(session, running);
  stream.once("close", () => {
    const left = (callsOf.get(session) ?? 1) - 1;
    callsOf.set(session, left);
    if (left === 0 && !session.destroyed) session.unref();
  });
  stream.end(body);
  return stream;
}

function head(url: URL, stream: ClientHttp2Stream): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    stream.once("response", (headers) =>
      resolve(readHttpAnswer(url, headers[":status"] ?? 0, headers["content-type"], stream)),
    );
    stream.on("error", reject);
    stream.once("close", () => reject(new Error("the stream was closed before an answer")));
  });
}
