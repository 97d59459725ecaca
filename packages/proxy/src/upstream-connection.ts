import type { Duplex } from "node:stream";
import { ChunkedScanner, describeFault, type Framing, ResponseHeadParser } from "@clew/wire";
import { type BytePipe, createBytePipe, type PipeReader } from "./byte-pipe.ts";
import type { Environment } from "./environment.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import type { Pool } from "./upstream-pools.ts";

/** Who waits for an answer. Bytes may be changed in place, and are the connection's again afterwards. */
export interface AnswerSink {
  /** The request was HEAD: no answer to it has a body. */
  readonly isHead: boolean;
  readonly asksUpgrade: boolean;
  interimAnswer(parser: ResponseHeadParser, bytes: Buffer): void;
  /** The final answer's head is there. Returns whether its body is wanted without its chunks. */
  answerBegins(parser: ResponseHeadParser, framing: Framing): boolean;
  /** Its head, and what came with it of its body: from `parser.start` to `end`. */
  answerHead(parser: ResponseHeadParser, bytes: Buffer, end: number, isLast: boolean): void;
  answerBody(bytes: Buffer, from: number, to: number, isLast: boolean): void;
  /** The upstream agreed to the upgrade; all that comes from now on is told by {@link upstreamRead}. */
  upgraded(parser: ResponseHeadParser, bytes: Buffer, to: number): void;
  upstreamRead(bytes: Buffer, length: number): void;
  upstreamFlushed(): void;
  /** After an upgrade only. */
  upstreamEnded(): void;
  answerMalformed(reason: string): void;
  /** It is gone. */
  upstreamLost(isOrderly: boolean, error: Error | undefined): void;
}

const atRest = 0;
const inHead = 1;
const inBody = 2;
const spliced = 3;

const nothing = Buffer.alloc(0);

/** One byte pipe to an upstream, which carries one request after another, and reads their answers strictly. */
export class UpstreamConnection implements PipeReader {
  readonly pipe: BytePipe;
  readonly #pool: Pool;
  readonly #environment: Environment;
  #sink: AnswerSink | undefined;
  #requests = 0;
  #phase = atRest;
  #framing: Framing = "none";
  #left = 0;
  #isPlain = false;
  #scanner: ChunkedScanner | undefined;
  /** A head that did not come in one piece, and its parser. */
  #partial: GrowingBuffer | undefined;
  #parser: ResponseHeadParser | undefined;
  #isKept = false;
  #restTimer: NodeJS.Timeout | undefined;
  #idleSinceTick = 0;
  #idleLimitMs: number;

  constructor(stream: Duplex, pool: Pool, environment: Environment) {
    this.#pool = pool;
    this.#environment = environment;
    this.#idleLimitMs = environment.limits.upstreamIdleTimeoutMs;
    this.pipe = createBytePipe(stream, this, environment.batch);
  }

  /** Whether a request was sent on it before the present one. */
  get isReused(): boolean {
    return this.#requests > 1;
  }

  begin(sink: AnswerSink): void {
    this.#sink = sink;
    this.#requests++;
    this.#phase = inHead;
    this.#isKept = false;
  }

  /** Nobody waits for an answer any more. It goes back into its pool if it can carry another request. */
  finish(): void {
    this.#sink = undefined;
    const { stream } = this.pipe;
    if (this.pipe.mustWait && stream.writable) {
      this.#waitForRest();
      return;
    }
    if (this.#phase !== atRest || !this.#isKept || this.#idleLimitMs <= 0 || !stream.writable) {
      this.close();
      return;
    }
    // Its end is to be seen.
    if (stream.isPaused()) stream.resume();
    this.#idleSinceTick = this.#environment.clock.tick;
    this.#pool.put(this);
  }

  /** Takes it out of idleness. False when it must not be used any more. */
  wake(): boolean {
    const { stream } = this.pipe;
    return stream.writable && !stream.readableEnded && !this.hasIdledOut();
  }

  hasIdledOut(): boolean {
    return this.#environment.clock.mayBeOver(this.#idleSinceTick, this.#idleLimitMs);
  }

  /** Ends it, whatever runs on it; tells nobody. */
  close(): void {
    this.#sink = undefined;
    this.pipe.stream.destroy();
    this.#pool.remove(this);
  }

  pipeRead(bytes: Buffer, length: number): void {
    const sink = this.#sink;
    // What comes unasked would be taken for the next request's answer.
    if (sink === undefined || this.#phase === atRest) {
      this.#isKept = false;
      if (sink === undefined) this.close();
    } else if (this.#phase === spliced) sink.upstreamRead(bytes, length);
    else if (this.#phase === inHead) {
      // An answer that is there before its request has gone is nobody's.
      if (this.pipe.isUnsent) this.#lose(sink);
      else this.#readHead(sink, bytes, length);
    } else this.#readBody(sink, bytes, 0, length);
  }

  pipeFlushed(): void {
    if (this.#restTimer === undefined) this.#sink?.upstreamFlushed();
    else {
      clearTimeout(this.#restTimer);
      this.#restTimer = undefined;
      this.finish();
    }
  }

  /** The answer came before the request's last bytes were on their way: they go on, for a while. */
  #waitForRest(): void {
    const { lingerTimeoutMs } = this.#environment.limits;
    this.#restTimer ??= setTimeout(() => this.close(), lingerTimeoutMs).unref();
  }

  pipeEnded(): void {
    this.#isKept = false;
    if (this.#phase === spliced) this.#sink?.upstreamEnded();
    else if (this.#phase === inBody && this.#framing === "until-close") {
      this.#phase = atRest;
      this.#sink?.answerBody(nothing, 0, 0, true);
    } else this.pipe.stream.destroy();
  }

  pipeClosed(isOrderly: boolean, error: Error | undefined): void {
    clearTimeout(this.#restTimer);
    this.#pool.remove(this);
    this.#pool.closed();
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.upstreamLost(isOrderly, error);
  }

  #readHead(sink: AnswerSink, piece: Buffer, length: number): void {
    let bytes = piece;
    let from = 0;
    let to = length;
    if (this.#partial !== undefined) {
      this.#partial.append(piece, 0, length);
      ({ bytes, from, to } = this.#partial);
    }
    const parser = this.#parser ?? this.#environment.answerParser;
    for (;;) {
      const result = parser.parse(bytes, from, to);
      if (result === "incomplete") {
        this.#keepHead(bytes, from, to);
        return;
      }
      if (result !== "complete") {
        this.#malformed(sink, describeFault(result));
        return;
      }
      if (parser.status >= 200 || parser.status === 101) break;
      sink.interimAnswer(parser, bytes);
      if (this.#sink !== sink) return;
      from = parser.headEnd;
    }
    this.#partial = undefined;
    this.#parser = undefined;
    if (parser.status === 101) this.#upgrade(sink, parser, bytes, to);
    else this.#beginAnswer(sink, parser, bytes, to);
  }

  /** The parser that all share would be used by others before the rest comes. */
  #keepHead(bytes: Buffer, from: number, to: number): void {
    if (this.#partial !== undefined && this.#partial.from === from) return;
    this.#partial = GrowingBuffer.copyOf(bytes, from, to);
    this.#parser = new ResponseHeadParser(this.#environment.limits);
    this.#environment.answerParser.reset();
    this.#parser.parse(this.#partial.bytes, this.#partial.from, this.#partial.to);
  }

  #upgrade(sink: AnswerSink, parser: ResponseHeadParser, bytes: Buffer, to: number): void {
    if (!sink.asksUpgrade) {
      this.#malformed(sink, "an upgrade that was not asked for");
      return;
    }
    this.#phase = spliced;
    sink.upgraded(parser, bytes, to);
  }

  #beginAnswer(sink: AnswerSink, parser: ResponseHeadParser, bytes: Buffer, to: number): void {
    const framing = sink.isHead ? "none" : parser.framing;
    this.#framing = framing;
    this.#left = parser.contentLength;
    this.#isKept = parser.keepAlive && framing !== "until-close";
    if (parser.hasKeepAlive) this.#readKeepAlive(parser);
    const { headEnd } = parser;
    // Before anything is passed on: a body that is malformed from the start is no answer.
    if (framing === "chunked") this.#scannerOf().reset();
    this.#isPlain = sink.answerBegins(parser, framing);
    if (this.#sink !== sink) return;
    this.#phase = inBody;
    if (this.#isPlain && framing === "chunked") {
      sink.answerHead(parser, bytes, headEnd, false);
      if (this.#sink === sink && to > headEnd) this.#readBody(sink, bytes, headEnd, to);
      return;
    }
    const end = this.#endOf(bytes, headEnd, to);
    if (end < 0) {
      this.#malformed(sink, "a chunk that is none");
      return;
    }
    const isLast = this.#isLast(end < to);
    sink.answerHead(parser, bytes, end, isLast);
  }

  #readBody(sink: AnswerSink, bytes: Buffer, from: number, to: number): void {
    if (this.#isPlain && this.#framing === "chunked") {
      this.#readPlain(sink, bytes, from, to);
      return;
    }
    const end = this.#endOf(bytes, from, to);
    if (end < 0) {
      this.#malformed(sink, "a chunk that is none");
      return;
    }
    sink.answerBody(bytes, from, end, this.#isLast(end < to));
  }

  /** Chunks' data only. */
  #readPlain(sink: AnswerSink, bytes: Buffer, from: number, to: number): void {
    const scanner = this.#scannerOf();
    const result = scanner.scan(bytes, from, to, (start, end) => {
      if (this.#sink === sink) sink.answerBody(bytes, start, end, false);
    });
    if (this.#sink !== sink || result === "incomplete") return;
    if (result !== "complete") {
      this.#malformed(sink, describeFault(result));
      return;
    }
    this.#phase = atRest;
    if (scanner.end < to) this.#isKept = false;
    sink.answerBody(nothing, 0, 0, true);
  }

  /** Where the body ends in these bytes, or they do; -1: it is malformed. Leaves the phase at rest when it was the body's end. */
  #endOf(bytes: Buffer, from: number, to: number): number {
    switch (this.#framing) {
      case "none":
        this.#phase = atRest;
        return from;
      case "length": {
        const count = Math.min(this.#left, to - from);
        this.#left -= count;
        if (this.#left === 0) this.#phase = atRest;
        return from + count;
      }
      case "chunked": {
        const scanner = this.#scannerOf();
        const result = scanner.scan(bytes, from, to);
        if (result === "complete") this.#phase = atRest;
        else if (result !== "incomplete") return -1;
        return scanner.end;
      }
      default:
        return to;
    }
  }

  #isLast(isMore: boolean): boolean {
    // More than was asked for: nobody's answer.
    if (isMore) this.#isKept = false;
    return this.#phase === atRest;
  }

  #lose(sink: AnswerSink): void {
    this.close();
    sink.upstreamLost(false, undefined);
  }

  #malformed(sink: AnswerSink, reason: string): void {
    this.close();
    sink.answerMalformed(reason);
  }

  #scannerOf(): ChunkedScanner {
    this.#scanner ??= new ChunkedScanner();
    return this.#scanner;
  }

  #readKeepAlive(parser: ResponseHeadParser): void {
    const seconds = /(?:^|,)\s*timeout=(\d+)/i.exec(parser.header("keep-alive") ?? "")?.[1];
    if (seconds === undefined) return;
    // A second less than announced: a request must not meet the close on its way.
    const announcedMs = (Number(seconds) - 1) * 1_000;
    this.#idleLimitMs = Math.min(this.#environment.limits.upstreamIdleTimeoutMs, announcedMs);
  }
}
