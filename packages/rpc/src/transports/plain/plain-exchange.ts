import type { Socket } from "node:net";
import type { HeaderReader } from "@clew/context";
import { heartbeat, writeEvent } from "../../extensions/stream.ts";
import { RpcError } from "../../rpc-error.ts";
import type { Answer, Exchange, StreamEventName } from "../../server/exchange.ts";
import { answerHeaders, documentHeaders, listReader, streamHeaders } from "../http-headers.ts";
import { nodeHttp } from "../node-http.ts";
import type { PlainRequest } from "./plain-head.ts";

/** What a connection and its exchanges have in common. */
export interface PlainLink {
  readonly socket: Socket;
  readonly service: string;
  /** Of the headers that say how long the connection is kept. */
  readonly keepAliveSeconds: number;
  /** Called once an answer is written whole. */
  onAnswered(): void;
}

/** One request on a plain HTTP/1.1 connection, read whole before this is made. */
export class PlainExchange implements Exchange {
  readonly header: HeaderReader;
  readonly isShared = false;
  readonly #link: PlainLink;
  readonly #body: Buffer | string;
  #abort: AbortController | undefined = undefined;
  #isBegun = false;
  #hasEnded = false;
  #isGone = false;

  constructor(link: PlainLink, { headers, body }: PlainRequest) {
    this.#link = link;
    this.#body = body;
    this.header = listReader(headers);
  }

  get remoteAddress(): string | undefined {
    return this.#link.socket.remoteAddress;
  }

  get abort(): AbortController {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isGone) this.#abort.abort(clientGone());
    }
    return this.#abort;
  }

  /** The client is gone. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#isGone = true;
    this.#abort?.abort(clientGone());
  }

  receive(): Buffer | string {
    return this.#body;
  }

  send(answer: Answer): void {
    if (this.#isBegun) return;
    const { status, text } = answer;
    const bytes = Buffer.byteLength(text);
    const head = this.#head(status, documentLines, answerHeaders(answer, bytes, this.#link.service));
    this.#isBegun = true;
    // One string, so one write; and what is as many bytes as characters is ASCII, which is written with less ado.
    this.#end(head + text, bytes === text.length ? "latin1" : "utf8");
  }

  isBegun(): boolean {
    return this.#isBegun;
  }

  beginStream(id: string): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#write(this.#head(200, lines(streamHeaders(id)), ["transfer-encoding", "chunked"]));
  }

  writeEvent(event: StreamEventName, data: string, id?: string): void {
    this.#write(chunk(writeEvent(event, data, id)));
  }

  beat(): void {
    this.#write(chunk(heartbeat));
  }

  endStream(event: StreamEventName, data: string): void {
    this.#end(`${chunk(writeEvent(event, data))}0\r\n\r\n`);
  }

  isFull(): boolean {
    return this.#link.socket.writableNeedDrain;
  }

  whenFree(onFree: () => void): () => void {
    const { socket } = this.#link;
    socket.once("drain", onFree);
    return () => socket.off("drain", onFree);
  }

  destroy(): void {
    this.#link.socket.destroy();
  }

  #end(text: string, encoding?: "latin1" | "utf8"): void {
    this.#hasEnded = true;
    this.#write(text, encoding);
    this.#link.onAnswered();
  }

  #write(text: string, encoding: "latin1" | "utf8" = "utf8"): void {
    const { socket } = this.#link;
    if (!this.#isGone && socket.writable) socket.write(text, encoding);
  }

  /** `common` is text that is the same for many answers. */
  #head(status: number, common: string, own: readonly string[]): string {
    return `${statusLines(status, this.#link.keepAliveSeconds)}${common}${lines(own)}\r\n`;
  }
}

let ok = "";
let okIsOf = "";

/** Throws for a status that no answer with a body can have; Node's server does so, too. */
function statusLines(status: number, keepAliveSeconds: number): string {
  const date = httpDate();
  // Nearly all answers of one second begin alike.
  if (status === 200 && date === okIsOf) return ok;
  if (!(status >= 200 && status <= 599) || bodiless.has(status)) {
    throw new RangeError(`${status} is not the status of an answer with a body`);
  }
  const text =
    `HTTP/1.1 ${status} ${nodeHttp().STATUS_CODES[status] ?? ""}\r\ndate: ${date}\r\n` +
    `connection: keep-alive\r\nkeep-alive: timeout=${keepAliveSeconds}\r\n`;
  if (status === 200) [ok, okIsOf] = [text, date];
  return text;
}

function lines(headers: readonly string[]): string {
  let text = "";
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return text;
}

/** Source: RFC 9110 §6.4.1 and §15.3.6. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/** The same in every answer. */
const documentLines = lines(documentHeaders);

/** Source: RFC 9112 §7.1. */
function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function clientGone(): RpcError {
  return new RpcError("UNAVAILABLE", "the client went away");
}

let dateText = "";
let dateEndsAt = 0;

/** Made once a second. Source: RFC 9110 §6.6.1. */
function httpDate(): string {
  const now = Date.now();
  if (now >= dateEndsAt || now < dateEndsAt - 1_000) {
    dateText = new Date(now).toUTCString();
    dateEndsAt = now - (now % 1_000) + 1_000;
  }
  return dateText;
}
