import type { Framing, ResponseHeadParser } from "@clew/wire";
import { AnswerFilter, type AnswerOwner } from "./answer-filter.ts";
import type { AnswerWishes } from "./answer-wishes.ts";
import type { ClientConnection } from "./client-connection.ts";
import { type AnswerForwarding, forwardAnswerHead } from "./forwarded-head.ts";
import type { ReceivedRequest } from "./received-request.ts";
import type { HeaderEdits } from "./types.ts";

/**
 * An upstream's answer on its way to the client: the bytes that came, but for what its plan wishes, and for a client of HTTP/1.0,
 * which knows no chunks.
 */
export class ForwardedAnswer implements AnswerForwarding {
  readonly edits: HeaderEdits | undefined;
  readonly upgrade = false;
  readonly closes: boolean;
  readonly reframed: "chunked" | "close" | undefined;
  /** The upstream's chunks are of no use here. */
  readonly isPlain: boolean;
  /** It ends with the client's connection: nothing else would tell a break from its end. */
  readonly endsByClose: boolean;
  /** Its head has been written. */
  hasBegun = false;
  /** All of it has come. */
  isWhole = false;
  readonly #client: ClientConnection;
  readonly #owner: AnswerOwner;
  readonly #filter: AnswerFilter | undefined;

  constructor(
    framing: Framing,
    { minorVersion, closes }: ReceivedRequest,
    wishes: AnswerWishes | undefined,
    client: ClientConnection,
    owner: AnswerOwner,
  ) {
    const stream = wishes?.filter;
    const reframing = minorVersion === 1 ? "chunked" : "close";
    const isReframed = stream !== undefined || (framing === "chunked" && reframing === "close");
    this.edits = wishes?.edits;
    this.reframed = isReframed ? reframing : undefined;
    this.isPlain = isReframed && framing === "chunked";
    this.endsByClose = isReframed ? reframing === "close" : framing === "until-close";
    this.closes = closes || this.endsByClose;
    this.#client = client;
    this.#owner = owner;
    this.#filter =
      stream === undefined ? undefined : new AnswerFilter(stream, reframing === "chunked", client, owner);
  }

  /** The head, and what came with it of the body: from `parser.start` to `end`. */
  head(parser: ResponseHeadParser, bytes: Buffer, end: number, isLast: boolean): void {
    this.hasBegun = true;
    if (this.reframed === undefined) {
      this.isWhole = isLast;
      this.#client.write(forwardAnswerHead(parser, bytes, end, this));
      this.#wrote(isLast);
      return;
    }
    const { headEnd } = parser;
    this.#client.write(forwardAnswerHead(parser, bytes, headEnd, this));
    this.body(bytes, headEnd, end, isLast);
  }

  body(bytes: Buffer, from: number, to: number, isLast: boolean): void {
    this.isWhole = isLast;
    const filter = this.#filter;
    if (filter === undefined) {
      if (to > from) {
        this.#client.write(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));
      }
      this.#wrote(isLast);
      return;
    }
    if (to > from) filter.write(bytes, from, to);
    if (isLast) filter.end();
  }

  /** All that was written to the client is on its way. */
  clientFlushed(): void {
    if (this.#filter === undefined) this.#owner.releaseUpstream();
    else this.#filter.resume();
  }

  /** It is over, to its end or not. */
  close(): void {
    this.#filter?.destroy();
  }

  #wrote(isLast: boolean): void {
    if (this.#client.mustWait) this.#owner.holdUpstream();
    if (isLast) this.#owner.answerWritten();
  }
}
