import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { HeaderReader } from "@clew/context";
import { eventStreamType, heartbeat, writeEvent } from "../extensions/stream.ts";
import { RpcError } from "../rpc-error.ts";
import type { Answer, Exchange, StreamEventName } from "../server/exchange.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { checkHttpRequest } from "./check-http-request.ts";
import { type BodyResult, readBody } from "./read-body.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

export interface HttpExchangeOptions {
  readonly service: string;
  readonly admit: ServerOptions["admit"];
}

/** HTTP/1.1 and HTTP/2. Source: Forrst specification, transport "HTTP". */
export class HttpExchange implements Exchange {
  readonly abort: AbortController = new AbortController();
  readonly header: HeaderReader;
  readonly isShared = false;
  readonly #request: HttpRequest;
  readonly #response: ServerResponse;
  readonly #options: HttpExchangeOptions;
  #isFull = false;
  #isGone = false;
  #hasEnded = false;

  constructor(request: HttpRequest, response: HttpResponse, options: HttpExchangeOptions) {
    this.#request = request;
    // What is used of it is the same in both; only their declarations differ.
    this.#response = response as ServerResponse;
    this.#options = options;
    this.header =
      "headersDistinct" in request
        ? (name) => request.headersDistinct[name]
        : (name) => request.headers[name];
    this.#response.on("drain", () => {
      this.#isFull = false;
    });
    this.#response.once("close", () => {
      this.#isGone = true;
      // HTTP/2's own `writableFinished` is true for a stream that was reset, too.
      if (!this.#hasEnded) this.abort.abort(new RpcError("UNAVAILABLE", "the client went away"));
    });
  }

  get remoteAddress(): string | undefined {
    return this.#request.socket?.remoteAddress;
  }

  async receive(maxBodyBytes: number): Promise<Buffer | undefined> {
    checkHttpRequest(this.#request, maxBodyBytes);
    await this.#options.admit?.(this.#request as IncomingMessage);
    const body = takeReadBody(this.#request) ?? (await readBody(this.#request, maxBodyBytes));
    if (body.kind === "gone") return undefined;
    if (body.kind === "whole" && body.bytes.length <= maxBodyBytes) return body.bytes;
    const message = `The request's body is larger than ${maxBodyBytes} bytes`;
    throw new RpcError("INVALID_REQUEST", message, { status: 413 });
  }

  send({ id, status, text }: Answer): void {
    const response = this.#response;
    if (response.headersSent || !this.#isOpen()) return;
    const headers: OutgoingHttpHeaders = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "cache-control": "no-store",
      ...requestIdHeader(id),
    };
    if (status === 401) headers["www-authenticate"] = `Bearer realm="${this.#options.service}"`;
    if (status === 405) headers["allow"] = "POST";
    // What is left of an unread body would be taken for the next request; HTTP/2 has no such trouble.
    if (!this.#request.complete && this.#request.httpVersionMajor === 1) headers["connection"] = "close";
    response.writeHead(status, headers);
    this.#hasEnded = true;
    response.end(text);
  }

  isBegun(): boolean {
    return this.#response.headersSent;
  }

  beginStream(id: string): void {
    if (this.#response.headersSent || !this.#isOpen()) return;
    this.#response.writeHead(200, {
      "content-type": eventStreamType,
      "cache-control": "no-store",
      ...requestIdHeader(id),
    });
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
function takeReadBody(request: HttpRequest): BodyResult | undefined {
  const { body } = request as { body?: unknown };
  if (!request.readableDidRead) return undefined;
  if (typeof body === "string" || body instanceof Uint8Array)
    return { kind: "whole", bytes: Buffer.from(body) };
  throw new RpcError(
    "E_RPC_BODY_CONSUMED",
    "something else read the request's body before the Forrst server",
    {
      status: 500,
      hint: "Register the Forrst server before body parsers such as express.json(), or read the body as bytes.",
    },
  );
}

/** Only ids that are safe in a header and of a length that headers bear are echoed there as well. */
function requestIdHeader(id: string | null): Record<string, string> {
  return id !== null && /^[\x21-\x7e]{1,128}$/.test(id) ? { "x-forrst-request-id": id } : {};
}
