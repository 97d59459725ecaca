import {
  type ClientRequest,
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { RpcError } from "../rpc-error.ts";
import type { PreparedRequest } from "./prepare-request.ts";

export interface Endpoint {
  readonly url: URL;
  /** False: a connection of its own. */
  readonly agent: HttpAgent | false;
}

/**
 * Sends a request and resolves with the head of its answer. A kept connection that turns out to be closed before any
 * answer is tried once more on another, but only for what may be repeated.
 * Rejects with UNAVAILABLE, or with the signal's reason.
 */
export async function exchange(
  endpoint: Endpoint,
  request: PreparedRequest,
  signal: AbortSignal,
  repeatable: boolean,
): Promise<IncomingMessage> {
  for (let attempt = 0; ; attempt++) {
    const sent = send(endpoint, request, signal);
    try {
      return await sent.response;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (repeatable && sent.request.reusedSocket && attempt === 0) continue;
      throw unreachable(endpoint.url, error);
    }
  }
}

function send(
  { url, agent }: Endpoint,
  { headers, body }: PreparedRequest,
  signal: AbortSignal,
): { readonly request: ClientRequest; readonly response: Promise<IncomingMessage> } {
  const start = url.protocol === "https:" ? httpsRequest : httpRequest;
  const request = start(url, { method: "POST", agent, headers, signal });
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
  });
  request.end(body);
  return { request, response };
}

function unreachable(url: URL, cause: unknown): RpcError {
  const { code } = cause as NodeJS.ErrnoException;
  const refused = code === "ECONNREFUSED";
  return new RpcError("UNAVAILABLE", `cannot reach ${url.href}: ${code ?? (cause as Error).message}`, {
    hint: refused ? `Nothing listens at ${url.host}; is it running?` : undefined,
    details: { reason: refused ? "refused" : "connection" },
    cause,
  });
}
