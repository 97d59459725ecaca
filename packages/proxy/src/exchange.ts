import type { Duplex } from "node:stream";
import type { Framing, ResponseHeadParser } from "@clew/wire";
import { AnswerFilter } from "./answer-filter.ts";
import { wantedEdits, wantedFilter } from "./answer-wishes.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { Environment } from "./environment.ts";
import { reportRequest, wantsRequestReports } from "./events.ts";
import { type AnswerForwarding, forwardAnswerHead } from "./forwarded-head.ts";
import { localAnswerBytes } from "./local-answer.ts";
import {
  answerFailure,
  connectFailure,
  errorAnswer,
  malformedAnswer,
  timeoutFailure,
} from "./proxy-error.ts";
import { type Reach, reach } from "./reach.ts";
import type { ReceivedRequest } from "./received-request.ts";
import { RequestSender } from "./request-sender.ts";
import { Splice } from "./splice.ts";
import type { AnswerHead, Failure, HeaderEdits, LocalAnswer, Outcome, Plan, Upstream } from "./types.ts";
import type { AnswerSink, UpstreamConnection } from "./upstream-connection.ts";

/** Of a request that is answered here. */
const nowhere: Plan = { upstream: { key: "", connect: () => Promise.reject(new Error("nowhere")) } };

/**
 * One request and its answer, over as many attempts as invariant I3 allows:
 *
 *   reach → send → answer's head → answer's body → over
 *
 * A failure in *reach* leads to the fallback. One in *send* or before the answer's head leads on only when the request may be
 * repeated and its body is still held: if the connection was a kept one, once more to the same upstream over a new connection,
 * then to the fallback. From the answer's head on nothing leads back: what breaks off breaks off for the client as well.
 */
export class Exchange implements AnswerSink {
  readonly isHead: boolean;
  readonly asksUpgrade: boolean;
  readonly #environment: Environment;
  readonly #client: ClientConnection;
  readonly #request: ReceivedRequest;
  readonly #plan: Plan;
  readonly #sender: RequestSender;
  readonly #startedAtMs: number;
  readonly #sinceTick: number;
  /** When the upstream, or the client's body, last moved. */
  #movedAtTick: number;
  /** Ends a connection that is still being made. */
  #reaching: Reach | undefined;
  #upstream: Upstream | undefined;
  #connection: UpstreamConnection | undefined;
  #splice: Splice | undefined;
  #filter: AnswerFilter | undefined;
  #fellBack = false;
  /** Something that describes the answer was passed on. */
  #isCommitted = false;
  #hasContinued = false;
  #clientHasEnded = false;
  #framing: Framing | undefined;
  #status: number | undefined;
  #closes = false;
  #edits: HeaderEdits | undefined;
  /** The answer's head has been written. */
  #hasBegun = false;
  /** Its body is written without the framing it came with. */
  #isReframed = false;
  /** The answer has been written, to its end. */
  #isAnswered = false;
  #failure: Failure | undefined;
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
    this.#reach(this.#plan.upstream, this.asksUpgrade);
  }

  /** The answer is made here; nothing is forwarded. */
  startLocal(answer: LocalAnswer): void {
    this.#environment.stats.requestsRunning++;
    this.#answerHere(answer);
  }

  // ---- what the client does

  /** More of its body came. Returns where that ends in these bytes. */
  bodyRead(bytes: Buffer): number {
    this.#movedAtTick = this.#environment.clock.tick;
    const end = this.#sender.read(bytes);
    if (end < 0) {
      this.#bodyMalformed(this.#sender.fault);
      return bytes.length;
    }
    if (this.#sender.isComplete) this.#bodyIsComplete();
    return end;
  }

  /** Bytes of an upgraded connection. */
  clientRead(bytes: Buffer): void {
    this.#splice?.clientRead(bytes);
  }

  /** All that was written to it is on its way. */
  clientFlushed(): void {
    if (this.#splice !== undefined) this.#splice.clientFlushed();
    else if (this.#filter !== undefined && !this.#isAnswered) this.#filter.resume();
    else {
      this.#connection?.pipe.release();
      if (this.#isAnswered && !this.#isOver) this.#finish();
    }
  }

  /** It will send no more: told to the upstream, which may take it for the client's leaving, as it would directly. */
  clientEnded(): void {
    if (this.#splice !== undefined) {
      this.#splice.clientEnded();
      return;
    }
    if (!this.#sender.isComplete) {
      this.#bodyMalformed("the connection ended in the middle of the body");
      return;
    }
    this.#clientHasEnded = true;
    if (!this.#isAnswered) this.#connection?.pipe.stream.end();
  }

  clientClosed(isOrderly: boolean): void {
    if (this.#splice !== undefined) {
      this.#splice.clientClosed(isOrderly);
      return;
    }
    if (!this.#isOver) {
      this.#broken ??= "client";
      this.#over();
    }
    this.#sender.abort();
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Looks whether a limit of time has passed. */
  sweep(): void {
    const { clock, limits } = this.#environment;
    if (this.isSpliced) return;
    if (this.#isOver) {
      if (clock.isOver(this.#movedAtTick, limits.lingerTimeoutMs)) this.#client.destroy();
      return;
    }
    if (this.#isAnswered) return;
    if (this.#isCommitted) {
      this.#sweepAnswer();
      return;
    }
    const isSlow = limits.requestTimeoutMs > 0 && clock.isOver(this.#sinceTick, limits.requestTimeoutMs);
    // A client that asked whether to send its body may wait as long as the upstream does.
    const mayWait = this.#request.expects && !this.#hasContinued;
    const isStuck =
      !mayWait &&
      this.#sender.isWaitingForClient &&
      clock.isOver(this.#movedAtTick, limits.bodyIdleTimeoutMs);
    if (!this.#sender.isComplete && (isSlow || isStuck)) {
      this.#refuse(408, "E_REQUEST_TIMEOUT", "the request did not come in time");
      return;
    }
    const { answerTimeoutMs = 0 } = this.#plan;
    const connection = this.#connection;
    if (answerTimeoutMs > 0 && connection !== undefined && this.#sender.isComplete) {
      if (!clock.isOver(this.#movedAtTick, answerTimeoutMs)) return;
      connection.close();
      this.#attemptFailed(timeoutFailure(this.#upstreamKey(), answerTimeoutMs));
    }
  }

  #sweepAnswer(): void {
    const { answerIdleTimeoutMs = 0 } = this.#plan;
    if (answerIdleTimeoutMs === 0 || !this.#hasBegun || this.#client.mustWait) return;
    if (this.#environment.clock.isOver(this.#movedAtTick, answerIdleTimeoutMs)) this.#breakClient();
  }

  // ---- reaching and sending

  #reach(upstream: Upstream, fresh: boolean): void {
    this.#upstream = upstream;
    const kept = fresh ? undefined : this.#environment.pools.take(upstream.key);
    // At once: a kept connection that closes between being taken and used would not be noticed.
    if (kept !== undefined) this.#send(kept);
    else this.#open(upstream);
  }

  #open(upstream: Upstream): void {
    const { connectTimeoutMs } = this.#environment.limits;
    const timeoutMs = this.#fellBack ? connectTimeoutMs : (this.#plan.connectTimeoutMs ?? connectTimeoutMs);
    this.#reaching = reach((signal) => this.#environment.pools.open(upstream, signal), timeoutMs, {
      reached: (connection) => {
        if (this.#isOver || this.#isAnswered) connection.close();
        else if (!connection.pipe.stream.writable) {
          connection.close();
          this.#unreachable("closed as soon as it was open");
        } else this.#send(connection);
      },
      failed: (error) => {
        if (!this.#isOver && !this.#isAnswered) this.#unreachable(error);
      },
    });
  }

  #unreachable(error: unknown): void {
    this.#failure ??= connectFailure(this.#upstreamKey(), error);
    this.#fallBackOrFail();
  }

  #send(connection: UpstreamConnection): void {
    this.#reaching = undefined;
    this.#connection = connection;
    this.#movedAtTick = this.#environment.clock.tick;
    connection.begin(this);
    this.#sender.sendTo(connection.pipe);
    if (this.#clientHasEnded) connection.pipe.stream.end();
  }

  #attemptFailed(failure: Failure, wasReused = false): void {
    this.#connection = undefined;
    this.#sender.detach();
    const mayRepeat = !this.#isCommitted && !this.#clientHasEnded && this.#sender.mayRepeat;
    if (mayRepeat && wasReused) {
      this.#reach(this.#upstream as Upstream, true);
      return;
    }
    this.#failure ??= failure;
    if (mayRepeat) this.#fallBackOrFail();
    else this.#fail(this.#failure);
  }

  #fallBackOrFail(): void {
    const { fallback } = this.#plan;
    if (fallback === undefined || this.#fellBack) this.#fail(this.#failure as Failure);
    else {
      this.#fellBack = true;
      this.#environment.stats.fallbacks++;
      this.#reach(fallback, this.asksUpgrade);
    }
  }

  #fail(failure: Failure): void {
    const status = failure.code === "E_ANSWER_TIMEOUT" ? 504 : 502;
    let answer = errorAnswer(status, failure.code, failure.message);
    try {
      answer = this.#plan.failed?.(failure) ?? answer;
    } catch (error) {
      this.#environment.onError(error);
    }
    this.#answerHere(answer);
  }

  #answerHere(answer: LocalAnswer): void {
    this.#sender.discard();
    this.#closes = this.#closesAfter();
    const { status, bytes } = localAnswerBytes(
      answer,
      { closes: this.#closes, isHead: this.isHead },
      this.#environment.onError,
    );
    this.#status = status;
    this.#client.write(bytes);
    this.#answerEnds();
  }

  /** Ends the request and its connection with an answer of ours, if its answer has not begun. */
  #refuse(status: number, code: string, message: string): void {
    this.#reaching?.abort();
    this.#connection?.close();
    this.#connection = undefined;
    if (this.#isCommitted || this.#isAnswered) {
      if (!this.#isOver) this.#broken ??= "client";
      if (!this.#isOver) this.#over();
      this.#client.destroy();
      return;
    }
    this.#sender.abort();
    this.#request.closes = true;
    this.#answerHere(errorAnswer(status, code, message));
  }

  #bodyMalformed(reason: string): void {
    const { refusals } = this.#environment.stats;
    refusals["body"] = (refusals["body"] ?? 0) + 1;
    this.#refuse(400, "E_REQUEST_MALFORMED", `the request is not valid HTTP/1.1: ${reason}`);
  }

  #bodyIsComplete(): void {
    if (!this.#isOver) return;
    this.#leaveUpstream();
    this.#client.exchangeOver(this.#closes);
  }

  // ---- what the upstream does

  /**
   * An interim answer passed on commits to its upstream when it describes the answer to come (103). 100 and 102 do not: they say
   * nothing about it, and the body that a 100 invited may still be held. A second 100, from the fallback, is dropped.
   */
  interimAnswer(parser: ResponseHeadParser, bytes: Buffer): void {
    this.#movedAtTick = this.#environment.clock.tick;
    const { status } = parser;
    if (this.#request.minorVersion === 0 || (status === 100 && this.#hasContinued)) return;
    if (status === 100) this.#hasContinued = true;
    else if (status !== 102) this.#isCommitted = true;
    const forwarding = { edits: undefined, upgrade: false, closes: false };
    // A copy: interim answers are few, and the buffer is read on.
    this.#client.write(Buffer.from(forwardAnswerHead(parser, bytes, parser.headEnd, forwarding)));
    if (this.#client.mustWait) this.#connection?.pipe.hold();
  }

  answerBegins(parser: ResponseHeadParser, framing: Framing): boolean {
    this.#isCommitted = true;
    this.#sender.letGo();
    this.#framing = framing;
    this.#status = parser.status;
    this.#closes = framing === "until-close" || this.#closesAfter();
    this.#edits = undefined;
    if (this.#plan.responseHeaders === undefined && this.#plan.filterBody === undefined) {
      return framing === "chunked" && this.#request.minorVersion === 0;
    }
    const { status, rawHeaders } = parser;
    const head: AnswerHead = { status, fellBack: this.#fellBack, rawHeaders };
    const { onError } = this.#environment;
    this.#edits = wantedEdits(this.#plan, head, onError);
    const filter = framing === "none" ? undefined : wantedFilter(this.#plan, head, onError);
    if (filter !== undefined) this.#openFilter(filter);
    return framing === "chunked" && (this.#request.minorVersion === 0 || this.#filter !== undefined);
  }

  answerHead(parser: ResponseHeadParser, bytes: Buffer, end: number, isLast: boolean): void {
    const { minorVersion } = this.#request;
    this.#movedAtTick = this.#environment.clock.tick;
    this.#hasBegun = true;
    this.#isReframed = this.#filter !== undefined || (minorVersion === 0 && this.#framing === "chunked");
    if (this.#isReframed) {
      const reframed = minorVersion === 0 ? "close" : "chunked";
      this.#closes ||= minorVersion === 0;
      const { headEnd } = parser;
      const options = { edits: this.#edits, upgrade: false, closes: this.#closes, reframed } as const;
      this.#client.write(
        Buffer.from(forwardAnswerHead(parser, bytes.subarray(0, headEnd), headEnd, options)),
      );
      if (end > headEnd || isLast) this.answerBody(bytes, headEnd, end, isLast);
      return;
    }
    const options: AnswerForwarding = { edits: this.#edits, upgrade: false, closes: this.#closes };
    this.#client.write(forwardAnswerHead(parser, bytes, end, options));
    this.#afterWrite(isLast);
  }

  answerBody(bytes: Buffer, from: number, to: number, isLast: boolean): void {
    this.#movedAtTick = this.#environment.clock.tick;
    if (this.#filter !== undefined) {
      if (to > from) this.#filter.write(bytes, from, to);
      if (isLast) {
        this.#filter.end();
        if (this.#sender.isComplete) this.#leaveUpstream();
      }
      return;
    }
    if (to > from) {
      const piece = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
      this.#client.write(piece);
    }
    this.#afterWrite(isLast);
  }

  upgraded(parser: ResponseHeadParser, bytes: Buffer, to: number): void {
    this.#isCommitted = true;
    this.#status = 101;
    const head = { status: 101, fellBack: this.#fellBack, rawHeaders: parser.rawHeaders };
    const edits = wantedEdits(this.#plan, head, this.#environment.onError);
    this.#client.write(forwardAnswerHead(parser, bytes, to, { edits, upgrade: true, closes: false }));
    const connection = this.#connection as UpstreamConnection;
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
    if (this.#splice !== undefined) this.#splice.upstreamFlushed();
    else this.#sender.flushed();
  }

  upstreamEnded(): void {
    this.#splice?.upstreamEnded();
  }

  answerMalformed(reason: string): void {
    if (this.#hasBegun) this.#breakClient();
    else this.#attemptFailed(malformedAnswer(this.#upstreamKey(), reason));
  }

  upstreamLost(isOrderly: boolean, error: Error | undefined): void {
    if (this.#splice !== undefined) {
      this.#splice.upstreamLost(isOrderly);
      return;
    }
    const connection = this.#connection;
    this.#connection = undefined;
    if (this.#isAnswered) {
      // It answered early and takes no more of the body.
      this.#sender.discard();
    } else if (this.#hasBegun) this.#breakClient();
    else {
      const stage = this.#sender.isSent ? "answer" : "request";
      this.#attemptFailed(answerFailure(this.#upstreamKey(), error, stage), connection?.isReused);
    }
  }

  // ---- the answer's end

  #afterWrite(isLast: boolean): void {
    if (this.#client.mustWait) this.#connection?.pipe.hold();
    if (isLast) this.#answerEnds();
  }

  #leaveUpstream(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.finish();
  }

  #answerEnds(): void {
    this.#isAnswered = true;
    if (!this.#client.mustWait) this.#finish();
  }

  #finish(): void {
    this.#over();
    if (this.#sender.isComplete) {
      this.#leaveUpstream();
      this.#client.exchangeOver(this.#closes);
    } else if (this.#closes) {
      this.#connection?.close();
      this.#connection = undefined;
      this.#client.exchangeOver(true, false);
    } else {
      // The rest of a body whose answer is over still goes where it went, for a while.
      this.#movedAtTick = this.#environment.clock.tick;
      if (this.#connection === undefined) this.#sender.discard();
    }
  }

  /** The answer broke off in its middle: so does the client's (I1). */
  #breakClient(): void {
    if (this.#isOver) return;
    this.#broken = "upstream";
    this.#over();
    this.#connection?.close();
    this.#connection = undefined;
    // What came is still delivered, where the end of the connection cannot be taken for the end of the body.
    const endsByClose = this.#framing === "until-close" || this.#request.minorVersion === 0;
    this.#client.cut(endsByClose && this.#filter === undefined);
  }

  #over(): void {
    this.#isOver = true;
    const { stats, onError } = this.#environment;
    stats.requestsRunning--;
    const status = this.#status ?? 0;
    stats.answersByClass[(status < 600 ? Math.floor(status / 100) : 0) as 0]++;
    this.#reaching?.abort();
    this.#filter?.destroy();
    if (this.#plan.done === undefined && !wantsRequestReports()) return;
    const outcome: Outcome = {
      status: this.#status,
      fellBack: this.#fellBack,
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
      ...(this.#broken === undefined ? {} : { broken: this.#broken }),
      durationMs: performance.now() - this.#startedAtMs,
    };
    try {
      this.#plan.done?.(outcome);
    } catch (error) {
      onError(error);
    }
    reportRequest(this.#request.head, this.#upstream?.key, outcome);
  }

  #openFilter(stream: Duplex): void {
    const isChunked = this.#request.minorVersion === 1;
    this.#closes = !isChunked || this.#closesAfter();
    this.#filter = new AnswerFilter(stream, this.#client, isChunked, {
      pause: () => this.#connection?.pipe.stream.pause(),
      resume: () => this.#connection?.pipe.stream.resume(),
      ended: () => this.#answerEnds(),
      failed: () => this.#breakClient(),
    });
  }

  /** Whether the client's connection ends after the answer. */
  #closesAfter(): boolean {
    const { closes, expects } = this.#request;
    if (closes || this.asksUpgrade || this.#environment.isDraining) return true;
    // A client that was not told to go on may leave its body out, or not. Source: RFC 9110 §10.1.1
    return expects && !this.#hasContinued && !this.#sender.isComplete;
  }

  #upstreamKey(): string {
    return this.#upstream?.key ?? "";
  }
}
