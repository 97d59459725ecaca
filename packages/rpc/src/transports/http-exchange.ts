import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { HeaderReader } from "@clew/context";
import { heartbeat, writeEvent } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import type { Answer, Exchange, StreamEventName } from "../server/exchange.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { type Soon, whenReady } from "../when-ready.ts";
import { checkHttpRequest } from "./check-http-request.ts";
import { answerHeaders, documentHeaders, listReader, streamHeaders } from "./http-headers.ts";
import { readBody, tooLarge } from "./read-body.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

export interface HttpExchangeOptions {
  readonly service: string;
  readonly admit: ServerOptions["admit"];
}

/** HTTP/1.1 and HTTP/2. Source: Forrst specification, transport "HTTP". */
export class HttpExchange implements Exchange {
  readonly header: HeaderReader;
  readonly isShared = false;
  readonly #request: HttpRequest;
  readonly #response: ServerResponse;
  readonly #options: HttpExchangeOptions;
  #abort: AbortController | undefined;
  #isFull = false;
  #isGone = false;
  #hasEnded = false;

  constructor(request: HttpRequest, response: HttpResponse, options: HttpExchangeOptions) {
    this.#request = request;
    // What is used of it is the same in both; only their declarations differ.
    this.#response = response as ServerResponse;
    this.#options = options;
    this.header = readerOf(request);
    // What has no `destroyed` has to be watched from the beginning.
    if (!("destroyed" in response)) this.#watch();
  }

  get abort(): AbortController {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (!this.#hasEnded && !this.#isOpen()) this.#abort.abort(clientGone());
      else if ("destroyed" in this.#response) this.#watch();
    }
    return this.#abort;
  }

  #watch(): void {
    this.#response.once("close", () => {
      this.#isGone = true;
      // HTTP/2's own `writableFinished` is true for a stream that was reset, too.
      if (!this.#hasEnded) this.#abort?.abort(clientGone());
    });
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket?.remoteAddress;
  }

  receive(maxBodyBytes: number): Soon<Buffer | undefined> {
    checkHttpRequest(this.#request, maxBodyBytes);
    const { admit } = this.#options;
    if (admit === undefined) return this.#readBody(maxBodyBytes);
    return whenReady(admit(this.#request as IncomingMessage), () => this.#readBody(maxBodyBytes));
  }

  #readBody(maxBodyBytes: number): Soon<Buffer | undefined> {
    return takeReadBody(this.#request, maxBodyBytes) ?? readBody(this.#request, maxBodyBytes);
  }

  send(answer: Answer): void {
    const response = this.#response;
    if (response.headersSent || !this.#isOpen()) return;
    const bytes = Buffer.byteLength(answer.text);
    const headers = [...documentHeaders, ...answerHeaders(answer, bytes, this.#options.service)];
    // What is left of an unread body would be taken for the next request; HTTP/2 has no such trouble.
    if (!this.#request.complete && this.#request.httpVersionMajor === 1) headers.push("connection", "close");
    response.writeHead(answer.status, headers);
    this.#hasEnded = true;
    // As many bytes as characters is ASCII, which is written with less ado.
    response.end(answer.text, bytes === answer.text.length ? "latin1" : "utf8");
  }

  isBegun(): boolean {
    return this.#response.headersSent;
  }

  beginStream(id: string): void {
    if (this.#response.headersSent || !this.#isOpen()) return;
    this.#response.on("drain", () => {
      this.#isFull = false;
    });
    this.#response.writeHead(200, streamHeaders(id));
  }

  writeEvent(event: StreamEventName, data: string, id?: string): void {
    this.#write(writeEvent(event, data, id));
  }

  beat(): void {
    this.#write(heartbeat);
  }

  endStream(event: StreamEventName, data: string): void {
    this.#hasEnded = true;
    if (this.#isOpen()) this.#response.end(writeEvent(event, data));
  }

  isFull(): boolean {
    return this.#isFull && this.#isOpen();
  }

  whenFree(onFree: () => void): () => void {
    this.#response.once("drain", onFree);
    return () => this.#response.off("drain", onFree);
  }

  destroy(): void {
    this.#response.destroy();
  }

  #write(text: string): void {
    if (this.#isOpen()) this.#isFull = !this.#response.write(text);
  }

  #isOpen(): boolean {
    return !this.#isGone && this.#response.destroyed !== true;
  }
}

/**
 * A framework may have read the body before. Its bytes or text will do; what was parsed will not: digits of large
 * integers, and everything that is wrong with the document, are gone from it.
 */
function takeReadBody(request: HttpRequest, maxBytes: number): Buffer | undefined {
  const { body } = request as { body?: unknown };
  if (!request.readableDidRead) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array) {
    const bytes = Buffer.from(body);
    if (bytes.length <= maxBytes) return bytes;
    throw tooLarge(maxBytes);
  }
  throw new RpcError(
    "E_RPC_BODY_CONSUMED",
    "something else read the request's body before the Forrst server",
    {
      status: 500,
      hint: "Register the Forrst server before body parsers such as express.json(), or read the body as bytes.",
    },
  );
}

function clientGone(): RpcError {
  return new RpcError("UNAVAILABLE", "the client went away");
}

/**
 * HTTP/1.1's from the list as it came: Node joins lines that came twice, and a header that must not come twice could
 * not be told from them.
 */
function readerOf(request: HttpRequest): HeaderReader {
  if (request.httpVersionMajor !== 1) return (name) => request.headers[name];
  return listReader(request.rawHeaders);
}
