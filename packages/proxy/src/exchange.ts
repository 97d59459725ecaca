import type { ClientRequest, IncomingMessage, InformationEvent, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Framing, passOn, passOnInterim, sendLocal } from "./answer.ts";
import { checkEdits, forwardedHeaders, headBytes } from "./headers.ts";
import type { ProxyLimits } from "./limits.ts";
import { answerFailure, connectFailure, errorAnswer, malformedAnswer } from "./proxy-error.ts";
import { RequestBody } from "./request-body.ts";
import { isRepeatable } from "./request-head.ts";
import { requestHeaders } from "./request-headers.ts";
import { breakOff, splice } from "./splice.ts";
import { tapRequest } from "./tap-request.ts";
import type { AnswerHead, Failure, HeaderEdits, LocalAnswer, Outcome, Plan, Upstream } from "./types.ts";
import type { UpstreamConnection, UpstreamPools } from "./upstream-pools.ts";

export interface ExchangeEnvironment {
  readonly pools: UpstreamPools;
  readonly limits: ProxyLimits;
  /** The proxy is closing: connections end after their answer. */
  readonly isDraining: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** The client's connection of a request that asks for an upgrade; it is no longer node:http's. */
export interface UpgradeSide {
  readonly socket: Socket;
  /** What came after the request's head. */
  readonly head: Buffer;
}

interface Attempt {
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly request: ClientRequest;
  answer?: IncomingMessage;
}

/**
 * One request and its answer, over as many attempts as invariant I3 allows:
 *
 *   reach → send → answer's head → answer's body → over
 *
 * A failure in *reach* leads to the fallback. One in *send* or before the answer's head leads on only when the request may be
 * repeated and its body is still held: if the connection was a kept one, once more to the same upstream over a new connection,
 * then to the fallback. From the answer's head on nothing leads back: what breaks off breaks off for the client as well.
 */
export class Exchange {
  readonly #environment: ExchangeEnvironment;
  readonly #plan: Plan;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #upgrade: UpgradeSide | undefined;
  readonly #body: RequestBody;
  readonly #startedAt = performance.now();
  /** Ends a connection that is still being made. */
  #reaching: AbortController | undefined;
  #attempt: Attempt | undefined;
  #fellBack = false;
  #isTapped = false;
  /** Something that describes the answer was passed on. */
  #isCommitted = false;
  #hasContinued = false;
  #clientHasEnded = false;
  #framing: Framing | undefined;
  #failure: Failure | undefined;
  #broken: Outcome["broken"];
  #isSpliced = false;
  #isOver = false;

  constructor(
    environment: ExchangeEnvironment,
    plan: Plan,
    request: IncomingMessage,
    response: ServerResponse,
    upgrade?: UpgradeSide,
  ) {
    this.#environment = environment;
    this.#plan = plan;
    this.#request = request;
    this.#response = response;
    this.#upgrade = upgrade;
    this.#body = new RequestBody(request, environment.limits.replayBufferBytes);
  }

  start(): void {
    this.#response.once("close", this.clientDone);
    this.#upgrade?.socket.on("readable", this.#lookAtClient);
    this.#reach(this.#plan.upstream, { fresh: this.#upgrade !== undefined });
  }

  /** Only what is read can be seen to end. What comes before the upgrade waits in the socket's own (bounded) buffer. */
  #lookAtClient = (): void => {
    const { socket } = this.#request;
    if (socket.readableLength === 0) socket.read();
  };

  /** The client will send no more: told to the upstream, which may take it for the client's leaving, as it would directly. */
  clientEnded(): void {
    this.#clientHasEnded = true;
    if (this.#attempt !== undefined) this.#passEndOn(this.#attempt);
  }

  #reach(upstream: Upstream, options: { readonly fresh: boolean }): void {
    const { pools } = this.#environment;
    const kept = options.fresh ? undefined : pools.take(upstream.key);
    // At once: a kept connection that closes between being taken and used would not be noticed.
    if (kept !== undefined) this.#send(upstream, kept);
    else this.#open(upstream);
  }

  #open(upstream: Upstream): void {
    const { connectTimeoutMs } = this.#environment.limits;
    const timeoutMs = this.#fellBack ? connectTimeoutMs : (this.#plan.connectTimeoutMs ?? connectTimeoutMs);
    const reaching = new AbortController();
    this.#reaching = reaching;
    const timer = setTimeout(
      () => reaching.abort(new Error(`no connection within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#environment.pools.open(upstream, reaching.signal).then(
      (connection) => {
        clearTimeout(timer);
        if (this.#isOver) connection.close();
        else if (!connection.stream.writable) this.#unreachable(upstream, "closed as soon as it was open");
        else this.#send(upstream, connection);
      },
      (error: unknown) => {
        clearTimeout(timer);
        if (!this.#isOver) this.#unreachable(upstream, error);
      },
    );
  }

  #unreachable(upstream: Upstream, error: unknown): void {
    this.#failure ??= connectFailure(upstream.key, error);
    this.#fallBackOrFail();
  }

  #send(upstream: Upstream, connection: UpstreamConnection): void {
    const { method = "GET", url: path = "/" } = this.#request;
    const headers = requestHeaders(this.#request, this.#plan.requestHeaders, this.#upgrade !== undefined);
    let request: ClientRequest;
    try {
      request = connection.request({ method, path, headers });
    } catch (error) {
      connection.close();
      this.#planIsInvalid(error);
      return;
    }
    const attempt: Attempt = { upstream, connection, request };
    this.#attempt = attempt;
    this.#watch(attempt);
    if (!isRepeatable(this.#request)) this.#body.letGo();
    this.#tap(headers);
    this.#body.sendTo(request);
    if (this.#clientHasEnded) this.#passEndOn(attempt);
  }

  /** Copies are made of what the first attempt sends. */
  #tap(headers: readonly string[]): void {
    const { taps = [] } = this.#plan;
    if (taps.length === 0 || this.#isTapped || this.#upgrade !== undefined) return;
    this.#isTapped = true;
    tapRequest(taps, this.#request, headers);
  }

  #watch(attempt: Attempt): void {
    const { request } = attempt;
    let reason: unknown;
    let isUpgraded = false;
    request.on("information", (info) => this.#interim(info));
    request.on("response", (answer) => this.#answered(attempt, answer));
    if (this.#upgrade !== undefined) {
      request.on("upgrade", (answer, stream, head) => {
        isUpgraded = true;
        void this.#upgraded(answer, stream, head);
      });
    }
    request.on("error", (error) => {
      reason = error;
      // Now, not at the close: until then a body that the connection's end delimits would look whole.
      if (attempt.answer?.complete === false) this.#breakClient();
    });
    request.once("close", () => {
      if (!isUpgraded) this.#attemptEnded(attempt, reason);
    });
  }

  #attemptEnded(attempt: Attempt, reason: unknown): void {
    if (attempt.answer !== undefined) {
      if (!attempt.answer.complete) this.#breakClient();
      // It answered early and takes no more of the body.
      else if (!this.#body.isComplete) this.#body.discard();
      return;
    }
    // An answer of ours is under way.
    if (this.#isOver || this.#response.headersSent) return;
    this.#body.detach();
    const mayRepeat =
      !this.#isCommitted && !this.#clientHasEnded && this.#body.isHeld && isRepeatable(this.#request);
    if (mayRepeat && attempt.connection.isReused) {
      this.#reach(attempt.upstream, { fresh: true });
      return;
    }
    const stage = attempt.request.writableFinished ? "answer" : "request";
    this.#failure ??= answerFailure(attempt.upstream.key, reason, stage);
    if (mayRepeat) this.#fallBackOrFail();
    else this.#fail(this.#failure);
  }

  #fallBackOrFail(): void {
    const { fallback } = this.#plan;
    if (fallback === undefined || this.#fellBack) this.#fail(this.#failure as Failure);
    else {
      this.#fellBack = true;
      this.#reach(fallback, { fresh: this.#upgrade !== undefined });
    }
  }

  #fail(failure: Failure): void {
    let answer = errorAnswer(502, failure.code, failure.message);
    try {
      answer = this.#plan.failed?.(failure) ?? answer;
    } catch (error) {
      this.#environment.onError(error);
    }
    this.#answerHere(answer);
  }

  #planIsInvalid(error: unknown): void {
    this.#environment.onError(error);
    this.#answerHere(errorAnswer(500, "E_PLAN_INVALID", "the request could not be forwarded as planned"));
  }

  #answerHere(answer: LocalAnswer): void {
    this.#body.discard();
    sendLocal(this.#response, answer, this.#closesAfter(), this.#environment.onError);
  }

  /**
   * An interim answer passed on commits to its upstream when it describes the answer to come (103). 100 and 102 do not: they say
   * nothing about it, and the body that a 100 invited may still be held. A second 100, from the fallback, is dropped.
   */
  #interim(info: InformationEvent): void {
    if (info.statusCode === 100 && this.#hasContinued) return;
    if (!passOnInterim(info, this.#response)) return;
    if (info.statusCode === 100) this.#hasContinued = true;
    else if (info.statusCode !== 102) this.#isCommitted = true;
  }

  #answered(attempt: Attempt, answer: IncomingMessage): void {
    this.#isCommitted = true;
    this.#body.letGo();
    // The request's close tells what is to be done.
    answer.on("error", () => {});
    const edits = this.#responseEdits(answer);
    try {
      this.#framing = passOn(answer, this.#response, {
        edits,
        closes: this.#closesAfter(),
        filter: () => this.#bodyFilter(answer),
        onFilterError: () => this.#breakClient(),
      });
      attempt.answer = answer;
    } catch (error) {
      // A status that is none, such as 099.
      answer.destroy();
      this.#failure ??= malformedAnswer(attempt.upstream.key, error);
      this.#fail(this.#failure);
    }
  }

  async #upgraded(answer: IncomingMessage, upstream: Duplex, head: Buffer): Promise<void> {
    const { socket, head: clientHead } = this.#upgrade as UpgradeSide;
    const headers = forwardedHeaders(answer.rawHeaders, {
      edits: this.#responseEdits(answer),
      upgrade: true,
    });
    socket.off("readable", this.#lookAtClient);
    this.#isSpliced = true;
    this.#response.detachSocket(socket);
    socket.write(Buffer.concat([headBytes(`HTTP/1.1 101 ${answer.statusMessage}`, headers), head]));
    if (clientHead.length > 0) upstream.write(clientHead);
    this.#broken = await splice(socket, upstream);
    this.#over(101);
  }

  #responseEdits(answer: IncomingMessage): HeaderEdits | undefined {
    try {
      const edits = this.#plan.responseHeaders?.(this.#answerHead(answer));
      checkEdits(edits);
      return edits;
    } catch (error) {
      this.#environment.onError(error);
      return undefined;
    }
  }

  #bodyFilter(answer: IncomingMessage): Duplex | undefined {
    try {
      return this.#plan.filterBody?.(this.#answerHead(answer));
    } catch (error) {
      this.#environment.onError(error);
      return undefined;
    }
  }

  #answerHead({ statusCode, rawHeaders }: IncomingMessage): AnswerHead {
    return { status: statusCode as number, fellBack: this.#fellBack, rawHeaders };
  }

  /** Whether the client's connection ends after the answer. */
  #closesAfter(): boolean {
    if (this.#upgrade !== undefined || this.#environment.isDraining()) return true;
    if (!this.#response.shouldKeepAlive || this.#request.httpVersion === "1.0") return true;
    // A client that was not told to go on may leave its body out, or not. Source: RFC 9110 §10.1.1
    return this.#request.headers.expect !== undefined && !this.#hasContinued && !this.#body.isComplete;
  }

  #passEndOn({ request, connection, answer }: Attempt): void {
    if (answer?.complete === true) return;
    if (request.writableFinished) connection.stream.end();
    else request.once("finish", () => connection.stream.end());
  }

  /** The answer broke off in its middle: so does the client's (I1). */
  #breakClient(): void {
    if (this.#isOver || this.#broken !== undefined) return;
    this.#broken = "upstream";
    const { socket } = this.#request;
    this.#response.flushHeaders();
    // What came is still delivered, where the end of the connection cannot be taken for the end of the body.
    if (this.#framing === "close") breakOff(socket);
    else socket.destroySoon();
  }

  /**
   * The answer's close: it was written, or can no longer be. Also to be called when the client's connection has closed, since
   * node:http does not tell that to answers whose turn (pipelining) had not come.
   */
  clientDone = (): void => {
    if (this.#isOver || this.#isSpliced) return;
    const isWhole = this.#response.writableFinished && this.#broken === undefined;
    if (!isWhole) {
      this.#broken ??= "client";
      this.#attempt?.request.destroy();
    } else if (!this.#body.isComplete) this.#linger();
    this.#over(this.#response.headersSent ? this.#response.statusCode : undefined);
  };

  /** The rest of a body whose answer is over still goes where it went, for a while. */
  #linger(): void {
    const { socket } = this.#request;
    const timer = setTimeout(() => socket.destroy(), this.#environment.limits.lingerTimeoutMs).unref();
    this.#request.once("end", () => clearTimeout(timer));
    socket.once("close", () => {
      clearTimeout(timer);
      if (!this.#body.isComplete) this.#attempt?.request.destroy();
    });
  }

  #over(status: number | undefined): void {
    this.#isOver = true;
    this.#reaching?.abort();
    try {
      this.#plan.done?.({
        status,
        fellBack: this.#fellBack,
        ...(this.#failure === undefined ? {} : { failure: this.#failure }),
        ...(this.#broken === undefined ? {} : { broken: this.#broken }),
        durationMs: performance.now() - this.#startedAt,
      });
    } catch (error) {
      this.#environment.onError(error);
    }
  }
}
