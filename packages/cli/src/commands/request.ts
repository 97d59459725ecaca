import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import { CliError } from "../errors.ts";

export interface Answer {
  readonly status: number;
  readonly statusText: string;
  /** Name, value, name, value …, as received. */
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Request {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** How long a request may take: someone may sit at a breakpoint behind it. */
const requestTimeoutMs = 120_000;

/** Sends one request and reads the whole answer. Throws E_USAGE for an unusable URL, UNAVAILABLE when nobody answers. */
export function sendRequest({ url, method, headers, body }: Request): Promise<Answer> {
  const target = parseUrl(url);
  const send = target.protocol === "https:" ? httpsRequest : httpRequest;
  const signal = AbortSignal.timeout(requestTimeoutMs);
  return new Promise((resolve, reject) => {
    const outgoing = send(target, { method, headers, lookup: loopbackLookup, signal });
    outgoing.once("error", (cause) => {
      reject(
        new CliError("UNAVAILABLE", `no answer from ${target.href}: ${cause.message}`, {
          retryable: true,
          cause,
        }),
      );
    });
    outgoing.once("response", (incoming) => resolve(readAnswer(incoming)));
    outgoing.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = await incoming.toArray();
  const { statusCode = 0, statusMessage = "", rawHeaders, headers } = incoming;
  return { status: statusCode, statusText: statusMessage, rawHeaders, headers, body: Buffer.concat(chunks) };
}

function parseUrl(text: string): URL {
  if (URL.canParse(text)) {
    const url = new URL(text);
    if (url.protocol === "http:" || url.protocol === "https:") return url;
  }
  throw new CliError("E_USAGE", `not an http or https URL: ${text}`, {
    hint: "Such as http://127.0.0.1:8000/",
  });
}

/** Names below `localhost` are loopback without any DNS (RFC 6761 §6.3); the rest goes the system's way. */
const loopbackLookup: LookupFunction = (hostname, options, callback) => {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) {
    if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
    else callback(null, "127.0.0.1", 4);
    return;
  }
  void import("node:dns").then(({ lookup }) => lookup(hostname, options, callback as never));
};
