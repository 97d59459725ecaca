import type { Socket } from "node:net";
import { RequestHeadParser } from "@clew/wire";
import { breakOff } from "./break-off.ts";
import { whenFlushed } from "./byte-pipe.ts";
import type { Environment } from "./environment.ts";
import { Exchange } from "./exchange.ts";
import { forwardRequestHead } from "./forwarded-head.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { checkEdits } from "./header-edits.ts";
import { localAnswerBytes } from "./local-answer.ts";
import { errorAnswer } from "./proxy-error.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { connectRequest, faultyRequest, lateRequest, malformedRequest, oneTooMany } from "./refusals.ts";
import { bodyOf, type RequestBody } from "./request-body.ts";
import { isRepeatable, mayUpgrade, ReceivedHead } from "./request-head.ts";
import { countRefusal } from "./stats.ts";
import type { LocalAnswer, Plan, Route } from "./types.ts";

const betweenRequests = 0;
const inHead = 1;
const inExchange = 2;
/** All has been written and its own side ended; what still comes is dropped. */
const lingering = 3;

/** Who keeps the list of open connections. */
export interface ClientOwner {
  readonly route: Route;
  clientClosed(client: ClientConnection): void;
}

/**
 * A client's connection: one request after another, each answered before the next is begun, so that answers keep their order
 * and a client that sends ahead is held back by nothing but this connection.
 */
export class ClientConnection {
  readonly socket: Socket;
  hasEnded = false;
  readonly #environment: Environment;
  readonly #owner: ClientOwner;
  #phase = betweenRequests;
  #sinceTick: number;
  #exchange: Exchange | undefined;
  /** What came and could not be used yet: an incomplete head, or requests sent ahead. */
  #pending: GrowingBuffer | undefined;
  /** Of an incomplete head. */
  #parser: RequestHeadParser | undefined;
  #isAdvancing = false;
  #isPaused = false;
  #mustWait = false;
  #waitsSinceTick = 0;
  #isBroken = false;

  constructor(socket: Socket, environment: Environment, owner: ClientOwner) {
    this.socket = socket;
    this.#environment = environment;
    this.#owner = owner;
    this.#sinceTick = environment.clock.tick;
    socket.on("data", (bytes: Buffer) => this.#read(bytes));
    socket.on("end", () => this.#ended());
    socket.on("error", () => {
      this.#isBroken = true;
      socket.destroy();
    });
    socket.on("close", () => this.#closed());
  }

  // ---- for its exchange

  /** What was written lies here, as the client does not take it. */
  get mustWait(): boolean {
    return this.#mustWait;
  }

  write(bytes: Buffer): void {
    this.#environment.stats.bytesOut += bytes.length;
    this.socket.write(bytes);
    if (this.socket.writableLength > 0) this.#wait();
  }

  /** As one packet. */
  writeAll(pieces: readonly Buffer[]): void {
    this.socket.cork();
    for (const piece of pieces) {
      this.#environment.stats.bytesOut += piece.length;
      this.socket.write(piece);
    }
    this.socket.uncork();
    if (this.socket.writableLength > 0) this.#wait();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** What was sent ahead, for whom an upgrade handed the connection over to. */
  takePending(): Buffer | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending?.bytes.subarray(pending.from, pending.to);
  }

  /** Request and answer are over. `isWhole`: the request came to its end. */
  exchangeOver(closes: boolean, isWhole = true): void {
    this.#exchange = undefined;
    this.#phase = betweenRequests;
    this.#sinceTick = this.#environment.clock.tick;
    // An answer that had begun before the drain did not say so.
    if (closes || this.#environment.isDraining) this.#finish(isWhole);
    else if (!this.#isAdvancing) this.#next();
  }

  /** The answer breaks off. `hard`: so that it cannot be taken for the end. */
  cut(hard: boolean): void {
    this.#exchange = undefined;
    this.#phase = lingering;
    if (hard) breakOff(this.socket);
    else this.socket.destroySoon();
  }

  destroy(): void {
    this.socket.destroy();
  }

  // ---- for its owner

  /** Whether nothing runs on it, and nothing has begun to come. */
  get isIdle(): boolean {
    return this.#phase === betweenRequests || this.#phase === lingering;
  }

  /** Looks whether a limit of time has passed. */
  sweep(): void {
    const { clock, limits } = this.#environment;
    const { clientStallTimeoutMs: stallMs } = limits;
    if (this.#mustWait && stallMs > 0 && clock.isOver(this.#waitsSinceTick, stallMs)) breakOff(this.socket);
    else if (this.#exchange !== undefined) this.#exchange.sweep();
    else if (this.#phase === inHead) {
      if (clock.isOver(this.#sinceTick, limits.headersTimeoutMs)) {
        this.#refuse(lateRequest, "headersTimeoutMs");
      }
    } else {
      const limitMs = this.#phase === lingering ? limits.lingerTimeoutMs : limits.clientIdleTimeoutMs;
      if (clock.isOver(this.#sinceTick, limitMs)) this.socket.destroy();
    }
  }

  // ---- reading

  #read(bytes: Buffer): void {
    this.#environment.stats.bytesIn += bytes.length;
    const exchange = this.#exchange;
    if (exchange === undefined) {
      if (this.#phase === lingering) return;
      const pending = this.#pending;
      if (pending === undefined) this.#advance(bytes, 0, bytes.length);
      else {
        pending.append(bytes);
        this.#advance(pending.bytes, pending.from, pending.to);
      }
    } else if (exchange.isSpliced) exchange.clientRead(bytes);
    else if (exchange.wantsBody) {
      const end = exchange.bodyRead(bytes);
      if (end < bytes.length) this.#keepAhead(bytes, end);
    } else this.#keepAhead(bytes, 0);
  }

  /** What comes before its turn is kept, so that the client's leaving is still seen, but not for ever. */
  #keepAhead(bytes: Buffer, from: number): void {
    if (this.#exchange === undefined) {
      this.#advance(bytes, from, bytes.length);
      return;
    }
    if (this.#pending === undefined) this.#pending = new GrowingBuffer(bytes, from, bytes.length);
    else this.#pending.append(bytes, from);
    if (this.#pending.length > this.#environment.limits.maxPipelinedBytes) this.pause();
  }

  /** Goes on with what was sent ahead. */
  #next(): void {
    const pending = this.#pending;
    if (pending !== undefined) {
      this.#pending = undefined;
      this.#advance(pending.bytes, pending.from, pending.to);
    }
    if (this.#exchange !== undefined || this.#phase === lingering) return;
    if (this.hasEnded) this.#ended();
    else this.resume();
  }

  /** Reads heads, and begins an exchange with each, until one has to be waited for. */
  #advance(bytes: Buffer, start: number, to: number): void {
    this.#isAdvancing = true;
    let from = start;
    while (from < to) {
      const parser = this.#parser ?? this.#environment.requestParser;
      const result = parser.parse(bytes, from, to);
      if (result === "incomplete") {
        this.#keepHead(bytes, from, to);
        break;
      }
      this.#parser = undefined;
      this.#pending = undefined;
      if (result !== "complete") {
        this.#refuse(faultyRequest(result), result);
        break;
      }
      from = this.#begin(parser, bytes, to);
      if (from < 0) break;
      if (this.#exchange !== undefined) {
        if (from < to) this.#pending = new GrowingBuffer(bytes, from, to);
        else if (this.hasEnded) this.#exchange.clientEnded();
        break;
      }
      if (this.#phase === lingering) break;
    }
    this.#isAdvancing = false;
  }

  #keepHead(bytes: Buffer, from: number, to: number): void {
    if (this.#parser === undefined) {
      // The parser that all share is used by others before the rest comes.
      this.#environment.requestParser.reset();
      this.#parser = new RequestHeadParser(this.#environment.limits);
      this.#parser.parse(bytes, from, to);
      this.#pending = new GrowingBuffer(bytes, from, to);
    }
    if (this.#phase !== inHead) this.#sinceTick = this.#environment.clock.tick;
    this.#phase = inHead;
  }

  // ---- requests

  /** Returns where what follows the request begins; -1: it was refused. */
  #begin(parser: RequestHeadParser, bytes: Buffer, to: number): number {
    const { stats, limits } = this.#environment;
    stats.requestsTotal++;
    const body = bodyOf(parser);
    const end = body === undefined ? parser.headEnd : body.read(bytes, parser.headEnd, to);
    if (body?.fault !== undefined) {
      this.#refuse(faultyRequest(body.fault), body.fault);
      return -1;
    }
    if (parser.isMethod("CONNECT")) {
      this.#refuse(connectRequest, "connect");
      return -1;
    }
    this.#phase = inExchange;
    const head = new ReceivedHead(parser, bytes, this.socket);
    if (stats.requestsRunning >= limits.maxRequests) {
      stats.shed++;
      this.#run(parser, bytes, end, head, body, oneTooMany);
    } else this.#run(parser, bytes, end, head, body, this.#planOf(head));
    return end;
  }

  #run(
    parser: RequestHeadParser,
    bytes: Buffer,
    end: number,
    head: ReceivedHead,
    body: RequestBody | undefined,
    decided: Plan | LocalAnswer,
  ): void {
    let answer = "upstream" in decided ? undefined : decided;
    const asksUpgrade = mayUpgrade(parser);
    let first = bytes;
    let headLength = 0;
    if ("upstream" in decided) {
      try {
        checkEdits(decided.requestHeaders);
        const forwarding = { edits: decided.requestHeaders, upgrade: asksUpgrade };
        first = forwardRequestHead(parser, bytes, end, forwarding);
        headLength = first.length - (end - parser.headEnd);
      } catch (error) {
        this.#environment.onError(error);
        answer = errorAnswer(500, "E_PLAN_INVALID", "the request could not be forwarded as planned");
      }
    }
    const request: ReceivedRequest = {
      head,
      first,
      headLength,
      body,
      minorVersion: parser.minorVersion,
      isHead: parser.isMethod("HEAD"),
      isRepeatable: isRepeatable(parser),
      asksUpgrade,
      expects: parser.expects,
      closes: this.#environment.isDraining || !parser.keepAlive || parser.minorVersion === 0,
    };
    const plan = "upstream" in decided ? decided : undefined;
    const exchange = new Exchange(this.#environment, this, request, plan);
    this.#exchange = exchange;
    if (answer === undefined) exchange.start();
    else exchange.startLocal(answer);
  }

  #planOf(head: ReceivedHead): Plan | LocalAnswer {
    try {
      return this.#owner.route(head);
    } catch (error) {
      this.#environment.onError(error);
      return errorAnswer(500, "E_ROUTE_FAILED", "the request could not be routed");
    }
  }

  /** Answers a request that never became one, and ends the connection. */
  #refuse(answer: LocalAnswer, reason: string): void {
    const { stats, onError } = this.#environment;
    countRefusal(stats, reason);
    stats.answersByClass[4]++;
    this.#parser = undefined;
    this.write(localAnswerBytes(answer, { closes: true, isHead: false }, onError).bytes);
    this.#linger();
  }

  // ---- ends

  /** Ends the connection, when all that was written is on its way. */
  #finish(isWhole: boolean): void {
    // With something unread, the kernel would break the connection off, and what was written last might be lost.
    if (this.hasEnded || (isWhole && this.#pending === undefined && !this.#isPaused)) {
      this.#phase = lingering;
      this.socket.destroySoon();
    } else this.#linger();
  }

  #linger(): void {
    this.#phase = lingering;
    this.#pending = undefined;
    this.#sinceTick = this.#environment.clock.tick;
    if (this.hasEnded) {
      this.socket.destroySoon();
      return;
    }
    this.socket.end();
    this.resume();
  }

  #ended(): void {
    this.hasEnded = true;
    if (this.#phase === inExchange && this.#exchange !== undefined) {
      // Requests sent ahead are still to be answered: only the last one's upstream is told.
      if (this.#pending === undefined || this.#exchange.isSpliced) this.#exchange.clientEnded();
    } else if (this.#phase === inHead) {
      this.#refuse(malformedRequest("the connection ended in the middle of the head"), "ended");
    } else this.socket.destroySoon();
  }

  #closed(): void {
    const { socket } = this;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#pending = undefined;
    this.#phase = lingering;
    this.#owner.clientClosed(this);
    exchange?.clientClosed(!this.#isBroken && socket.readableEnded && socket.writableFinished);
  }

  #wait(): void {
    if (this.#mustWait) return;
    this.#mustWait = true;
    this.#waitsSinceTick = this.#environment.clock.tick;
    whenFlushed(this.socket, () => {
      this.#mustWait = false;
      if (this.socket.writableLength > 0) {
        this.#wait();
        return;
      }
      this.#exchange?.clientFlushed();
    });
  }
}
