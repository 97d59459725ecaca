import type { ClientRequest, Agent as HttpAgent, IncomingMessage } from "node:http";
import type { PreparedRequest } from "../client/prepare-request.ts";
import type { ClientTransport, SendOptions, TransportAnswer } from "../client/transport.ts";
import { RpcError } from "../rpc-error.ts";
import { readHttpAnswer } from "./http-answer.ts";
import { nodeHttp, nodeHttps } from "./node-http.ts";
import type { TlsClientOptions } from "./tls-options.ts";

/** Connections for calls; streams have one of their own each, so that they never keep a call waiting. */
const maxSockets = 64;

/**
 * How long an unused connection is kept. Less than the 5 s after which Node's servers close theirs, so that a call
 * does not meet a connection that is just being closed.
 */
const idleSocketMs = 2_000;

/** HTTP/1.1 over a pool of kept connections. */
export function createHttpClient(url: URL, tls: TlsClientOptions): ClientTransport {
  const { Agent } = moduleOf(url);
  const agent = new Agent({ keepAlive: true, maxSockets, timeout: idleSocketMs, ...tls });
  return {
    async send(request, options) {
      for (let attempt = 0; ; attempt++) {
        const sent = start(url, { ...tls, agent: options.isStream ? false : agent }, request, options);
        try {
          const response = await sent.response;
          return readAnswer(url, response);
        } catch (error) {
          if (options.signal.aborted) throw options.signal.reason;
          if (options.isRepeatable && sent.request.reusedSocket && attempt === 0) continue;
          throw unreachable(url, error);
        }
      }
    },
    close() {
      // `destroy` would end calls under way too; theirs end when they come free and none may be kept.
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets))
        for (const socket of sockets ?? []) socket.destroy();
    },
  };
}

function moduleOf({ protocol }: URL): Pick<ReturnType<typeof nodeHttp>, "Agent" | "request"> {
  return protocol === "https:" ? nodeHttps() : nodeHttp();
}

function start(
  url: URL,
  connection: { readonly agent: HttpAgent | false } & TlsClientOptions,
  { headers, body }: PreparedRequest,
  { signal }: SendOptions,
): { readonly request: ClientRequest; readonly response: Promise<IncomingMessage> } {
  const request = moduleOf(url).request(url, { method: "POST", headers, signal, ...connection });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
  });
  request.end(body);
  return { request, response };
}

function readAnswer(url: URL, response: IncomingMessage): TransportAnswer {
  return readHttpAnswer(url, response.statusCode ?? 0, response.headers["content-type"], response);
}

/** What a client says when no connection could be made, or it broke before an answer. */
export function unreachable(url: URL, cause: unknown): RpcError {
  // HTTP/2 wraps what befell the connection in what befell the stream.
  const { code, message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException;
  const refused = code === "ECONNREFUSED" || code === "ENOENT";
  return new RpcError("UNAVAILABLE", `cannot reach ${url.href}: ${code ?? message}`, {
    hint: refused ? `Nothing listens at ${url.host || url.pathname}; is it running?` : undefined,
    details: { reason: refused ? "refused" : "connection" },
    cause,
  });
}
