import type { Framing, ResponseHeadParser } from "@clew/wire";
import type { AnswerOwner } from "./answer-filter.ts";
import { type AnswerWishes, wishesFor } from "./answer-wishes.ts";
import { Attempts, type AttemptsOwner } from "./attempts.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Environment } from "./environment.ts";
import { reportRequest, wantsRequestReports } from "./events.ts";
import { ForwardedAnswer } from "./forwarded-answer.ts";
import { forwardAnswerHead } from "./forwarded-head.ts";
import { localAnswerBytes } from "./local-answer.ts";
import { errorAnswer } from "./proxy-error.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { faultyRequest, lateRequest, malformedRequest } from "./refusals.ts";
import { RequestSender } from "./request-sender.ts";
import { Splice } from "./splice.ts";
import { countRefusal } from "./stats.ts";
import type { AnswerHead, Failure, LocalAnswer, Outcome, Plan } from "./types.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/** Of a request that is answered here. */
const nowhere: Plan = { upstream: { key: "", connect: () => Promise.reject(new Error("nowhere")) } };

/**
 * One request and its answer:
 *
 *   attempts → answer's head → answer's body → over
 *
 * Listens to both sides, ends each when the other one does, and looks after the limits of time. How the request comes to an upstream
 * is for {@link Attempts}, how the answer comes to the client for {@link ForwardedAnswer}. What breaks off after the answer's head
 * breaks off for the client as well (I1).
 */
export class Exchange implements AttemptsOwner, AnswerOwner {
  readonly isHead: boolean;
  readonly asksUpgrade: boolean;
  readonly #environment: Environment;
  readonly #client: ClientConnection;
  readonly #request: ReceivedRequest;
  readonly #plan: Plan;
  readonly #sender: RequestSender;
  readonly #attempts: Attempts;
  readonly #startedAtMs: number;
  readonly #sinceTick: number;
  /** When the upstream, or the client's body, last moved, or was last free to. */
  #movedAtTick: number;
  #answer: ForwardedAnswer | undefined;
  #splice: Splice | undefined;
  #hasContinued = false;
  #status: number | undefined;
  /** The answer has been written, to its end. */
  #isAnswered = false;
  #broken: Outcome["broken"];
  #isOver = false;

  constructor(
    environment: Environment,
    client: ClientConnection,
    request: ReceivedRequest,
    plan: Plan = nowhere,
  ) {
    this.#environment = environment;
    this.#client = client;
    this.#request = request;
    this.#plan = plan;
    this.isHead = request.isHead;
    this.asksUpgrade = request.asksUpgrade;
    this.#sender = new RequestSender(request, client, environment.limits, plan.taps);
    this.#attempts = new Attempts(environment, plan, this.#sender, this);
    this.#startedAtMs = plan.done !== undefined || wantsRequestReports() ? performance.now() : 0;
    this.#sinceTick = environment.clock.tick;
    this.#movedAtTick = this.#sinceTick;
  }

  get isSpliced(): boolean {
    return this.#splice !== undefined;
  }

  /** Whether more of the request's body is to come. */
  get wantsBody(): boolean {
    return !this.#sender.isComplete;
  }

  start(): void {
    this.#environment.stats.requestsRunning++;
    this.#attempts.start();
  }

  /** The answer is made here; nothing is forwarded. */
  startLocal(answer: LocalAnswer): void {
    this.#environment.stats.requestsRunning++;
    this.#answerHere(answer);
  }

  // ---- what the client does

  /** More of its body came. Returns where that ends in these bytes. */
  bodyRead(bytes: Buffer): number {
    this.#moved();
    const end = this.#sender.read(bytes);
    const { fault } = this.#sender;
    if (fault !== undefined) {
      this.#refuseBody(faultyRequest(fault));
      return bytes.length;
    }
    if (this.#sender.isComplete && this.#isOver) this.#leave();
    return end;
  }

  /** Bytes of an upgraded connection. */
  clientRead(bytes: Buffer): void {
    this.#splice?.clientRead(bytes);
  }

  /** All that was written to it is on its way. */
  clientFlushed(): void {
    if (this.#splice !== undefined) this.#splice.clientFlushed();
    else if (this.#isAnswered) {
      this.releaseUpstream();
      if (!this.#isOver) this.#finish();
    } else if (this.#answer !== undefined) this.#answer.clientFlushed();
    // An interim answer's.
    else this.releaseUpstream();
  }

  /** It will send no more. */
  clientEnded(): void {
    if (this.#splice !== undefined) this.#splice.clientEnded();
    else if (!this.#sender.isComplete)
      this.#refuseBody(malformedRequest("the connection ended in the middle of the body"));
    else if (!this.#isAnswered) this.#attempts.clientEnded();
  }

  clientClosed(isOrderly: boolean): void {
    if (this.#splice !== undefined) {
      this.#splice.clientClosed(isOrderly);
      return;
    }
    if (!this.#isOver) this.#breakOff("client");
    this.#sender.abort();
    this.#attempts.abandon();
  }

  // ---- attempts

  attemptBegins(): void {
    this.#moved();
  }

  attemptsFailed(failure: Failure): void {
    const status = failure.code === "E_ANSWER_TIMEOUT" ? 504 : 502;
    let answer = errorAnswer(status, failure.code, failure.message);
    try {
      answer = this.#plan.failed?.(failure) ?? answer;
    } catch (error) {
      this.#environment.onError(error);
    }
    this.#answerHere(answer);
  }

  // ---- what the upstream does

  /**
   * An interim answer passed on commits to its upstream when it describes the answer to come (103). 100 and 102 do not: they say
   * nothing about it, and the body that a 100 invited may still be held. A second 100, from the fallback, is dropped.
   */
  interimAnswer(parser: ResponseHeadParser, bytes: Buffer): void {
    this.#moved();
    const { status } = parser;
    if (this.#request.minorVersion === 0 || (status === 100 && this.#hasContinued)) return;
    if (status === 100) this.#hasContinued = true;
    else if (status !== 102) this.#sender.letGo();
    const forwarding = { edits: undefined, upgrade: false, closes: false };
    // A copy: interim answers are few, and the buffer is read on.
    this.#client.write(Buffer.from(forwardAnswerHead(parser, bytes, parser.headEnd, forwarding)));
    if (this.#client.mustWait) this.holdUpstream();
  }

  answerBegins(parser: ResponseHeadParser, framing: Framing): boolean {
    this.#sender.letGo();
    this.#status = parser.status;
    this.#decideClosing();
    const wishes = this.#wishesFor(parser, framing !== "none");
    const answer = new ForwardedAnswer(framing, this.#request, wishes, this.#client, this);
    this.#request.closes = answer.closes;
    this.#answer = answer;
    return answer.isPlain;
  }

  answerHead(parser: ResponseHeadParser, bytes: Buffer, end: number, isLast: boolean): void {
    this.#moved();
    this.#answer?.head(parser, bytes, end, isLast);
  }

  answerBody(bytes: Buffer, from: number, to: number, isLast: boolean): void {
    this.#moved();
    this.#answer?.body(bytes, from, to, isLast);
  }

  upgraded(parser: ResponseHeadParser, bytes: Buffer, to: number): void {
    this.#sender.letGo();
    this.#status = 101;
    const edits = this.#wishesFor(parser, false)?.edits;
    this.#client.write(forwardAnswerHead(parser, bytes, to, { edits, upgrade: true, closes: false }));
    const connection = this.#attempts.connection as UpstreamConnection;
    this.#splice = new Splice(this.#client, connection, (broken) => {
      this.#broken = broken;
      this.#over();
    });
    this.#splice.start();
  }

  upstreamRead(bytes: Buffer, length: number): void {
    this.#splice?.upstreamRead(bytes, length);
  }

  upstreamFlushed(): void {
    if (this.#splice !== undefined) {
      this.#splice.upstreamFlushed();
      return;
    }
    // Now it is the client's turn, or the upstream's: neither has had time yet.
    this.#moved();
    this.#sender.flushed();
  }

  upstreamEnded(): void {
    this.#splice?.upstreamEnded();
  }

  answerMalformed(reason: string): void {
    if (this.#hasBegun) this.answerBroken();
    else this.#attempts.malformed(reason);
  }

  upstreamLost(isOrderly: boolean, error: Error | undefined): void {
    if (this.#splice !== undefined) this.#splice.upstreamLost(isOrderly);
    else if (this.#answer?.isWhole === true) {
      // It answered early and takes no more of the body.
      this.#attempts.abandon();
      this.#sender.discard();
    } else if (this.#hasBegun) this.answerBroken();
    else this.#attempts.lost(error);
  }

  // ---- the answer's way to the client

  holdUpstream(): void {
    this.#attempts.connection?.pipe.hold();
  }

  /** Its silence counts from now. */
  releaseUpstream(): void {
    this.#moved();
    this.#attempts.connection?.pipe.release();
  }

  answerWritten(): void {
    this.#isAnswered = true;
    if (!this.#client.mustWait) this.#finish();
  }

  /** The client's connection breaks off, too (I1). What came is still delivered, where that end cannot be taken for the body's. */
  answerBroken(): void {
    if (this.#isOver) return;
    this.#breakOff("upstream");
    this.#attempts.abandon();
    this.#client.cut(this.#answer?.endsByClose === true);
  }

  // ---- limits of time

  /** Looks whether one has passed. */
  sweep(): void {
    const { clock, limits } = this.#environment;
    if (this.isSpliced) return;
    if (this.#isOver) {
      if (clock.isOver(this.#movedAtTick, limits.lingerTimeoutMs)) this.#client.destroy();
      return;
    }
    if (this.#isAnswered) return;
    if (this.#hasBegun) this.#sweepAnswer();
    else if (this.#sender.isComplete) this.#sweepWait();
    else this.#sweepRequest();
  }

  #sweepRequest(): void {
    const { clock, limits } = this.#environment;
    const isSlow = limits.requestTimeoutMs > 0 && clock.isOver(this.#sinceTick, limits.requestTimeoutMs);
    // A client that asked whether to send its body may wait as long as the upstream does.
    const mayWait = this.#request.expects && !this.#hasContinued;
    const isStuck =
      !mayWait &&
      this.#sender.isWaitingForClient &&
      clock.isOver(this.#movedAtTick, limits.bodyIdleTimeoutMs);
    if (isSlow || isStuck) this.#refuse(lateRequest);
  }

  #sweepWait(): void {
    const { upstream, connection } = this.#attempts;
    const limitMs = upstream?.answerTimeoutMs;
    if (limitMs === undefined || connection === undefined) return;
    if (this.#environment.clock.isOver(this.#movedAtTick, limitMs)) this.#attempts.timedOut(limitMs);
  }

  #sweepAnswer(): void {
    const limitMs = this.#attempts.upstream?.answerIdleTimeoutMs;
    if (limitMs === undefined || this.#answer?.isWhole === true || this.#client.mustWait) return;
    if (this.#environment.clock.isOver(this.#movedAtTick, limitMs)) this.answerBroken();
  }

  #moved(): void {
    this.#movedAtTick = this.#environment.clock.tick;
  }

  // ---- answers of our own

  #answerHere(answer: LocalAnswer): void {
    this.#sender.discard();
    this.#decideClosing();
    const { closes } = this.#request;
    const { onError } = this.#environment;
    const { status, bytes } = localAnswerBytes(answer, { closes, isHead: this.isHead }, onError);
    this.#status = status;
    this.#client.write(bytes);
    this.answerWritten();
  }

  /** Ends the request and its connection with an answer of ours, if its answer has not begun. */
  #refuse(answer: LocalAnswer): void {
    this.#attempts.abandon();
    if (this.#hasBegun || this.#isAnswered) {
      if (!this.#isOver) this.#breakOff("client");
      this.#client.destroy();
      return;
    }
    this.#sender.abort();
    this.#request.closes = true;
    this.#answerHere(answer);
  }

  #refuseBody(answer: LocalAnswer): void {
    countRefusal(this.#environment.stats, "body");
    this.#refuse(answer);
  }

  // ---- ends

  /** The answer is over, its request maybe not. */
  #finish(): void {
    this.#over();
    if (this.#sender.isComplete) this.#leave();
    else if (this.#request.closes) {
      this.#attempts.abandon();
      this.#client.exchangeOver(true, false);
    } else {
      // The rest of a body whose answer is over still goes where it went, for a while.
      this.#moved();
      if (this.#attempts.connection === undefined) this.#sender.discard();
    }
  }

  /** Both are over, in order. */
  #leave(): void {
    this.#attempts.leave();
    this.#client.exchangeOver(this.#request.closes);
  }

  #breakOff(side: "client" | "upstream"): void {
    this.#broken = side;
    this.#over();
  }

  #over(): void {
    this.#isOver = true;
    const { stats, onError } = this.#environment;
    stats.requestsRunning--;
    const status = this.#status ?? 0;
    stats.answersByClass[(status < 600 ? Math.floor(status / 100) : 0) as 0]++;
    this.#answer?.close();
    if (this.#plan.done === undefined && !wantsRequestReports()) return;
    const { failure, fellBack, upstream } = this.#attempts;
    const outcome: Outcome = {
      status: this.#status,
      fellBack,
      ...(failure === undefined ? {} : { failure }),
      ...(this.#broken === undefined ? {} : { broken: this.#broken }),
      durationMs: performance.now() - this.#startedAtMs,
    };
    try {
      this.#plan.done?.(outcome);
    } catch (error) {
      onError(error);
    }
    reportRequest(this.#request.head, upstream?.key, outcome);
  }

  /** Whether the client's connection ends after the answer. */
  #decideClosing(): void {
    const request = this.#request;
    if (request.closes) return;
    // A client that was not told to go on may leave its body out, or not. Source: RFC 9110 §10.1.1
    const isUnsure = request.expects && !this.#hasContinued && !this.#sender.isComplete;
    request.closes = isUnsure || this.asksUpgrade || this.#environment.isDraining;
  }

  get #hasBegun(): boolean {
    return this.#answer?.hasBegun === true;
  }

  #wishesFor(parser: ResponseHeadParser, hasBody: boolean): AnswerWishes | undefined {
    const plan = this.#plan;
    if (plan.responseHeaders === undefined && plan.filterBody === undefined) return undefined;
    const { status, rawHeaders } = parser;
    const head: AnswerHead = { status, fellBack: this.#attempts.fellBack, rawHeaders };
    return wishesFor(plan, head, hasBody, this.#environment.onError);
  }
}
