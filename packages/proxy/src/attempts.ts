import type { Environment } from "./environment.ts";
import { answerFailure, connectFailure, malformedAnswer, timeoutFailure } from "./proxy-error.ts";
import { type Reach, reach } from "./reach.ts";
import type { RequestSender } from "./request-sender.ts";
import type { Failure, Plan, Upstream } from "./types.ts";
import type { AnswerSink, UpstreamConnection } from "./upstream-connection.ts";

/** Whose request it is, and who takes the answer to it. */
export interface AttemptsOwner extends AnswerSink {
  /** The request is on its way, from its beginning. */
  attemptBegins(): void;
  /** Neither upstream nor fallback gave an answer. */
  attemptsFailed(failure: Failure): void;
}

/**
 * The ways of one request to an upstream, as many as invariant I3 allows:
 *
 *   reach → send → answer's head
 *
 * A failure in *reach* leads to the fallback. One in *send* leads on only when the request may be repeated and its body is still
 * held: if the connection was a kept one, once more to the same upstream over a new connection, then to the fallback. Whoever
 * passes on something of an answer calls {@link RequestSender.letGo}: from then on nothing leads back.
 */
export class Attempts {
  /** The one that was tried last. */
  upstream: Upstream | undefined;
  /** That the request was sent on, until it is left. */
  connection: UpstreamConnection | undefined;
  fellBack = false;
  /** Why the first upstream did not serve. */
  failure: Failure | undefined;
  readonly #environment: Environment;
  readonly #plan: Plan;
  readonly #sender: RequestSender;
  readonly #owner: AttemptsOwner;
  /** Ends a connection that is still being made. */
  #reaching: Reach | undefined;
  #clientHasEnded = false;
  #isAbandoned = false;

  constructor(environment: Environment, plan: Plan, sender: RequestSender, owner: AttemptsOwner) {
    this.#environment = environment;
    this.#plan = plan;
    this.#sender = sender;
    this.#owner = owner;
  }

  start(): void {
    this.#reach(this.#plan.upstream, this.#owner.asksUpgrade);
  }

  /** Told to the upstream, which may take it for the client's leaving: what follows may be its answer to that. */
  clientEnded(): void {
    this.#clientHasEnded = true;
    this.connection?.pipe.end();
  }

  /** The connection broke before the answer's head. */
  lost(error: Error | undefined): void {
    const wasReused = this.connection?.isReused === true;
    const stage = this.#sender.isSent ? "answer" : "request";
    this.#failed(answerFailure(this.#key, error, stage), wasReused);
  }

  /** What came is no answer. */
  malformed(reason: string): void {
    this.#failed(malformedAnswer(this.#key, reason));
  }

  /** No answer began in time. */
  timedOut(limitMs: number): void {
    this.connection?.close();
    this.#failed(timeoutFailure(this.#key, limitMs));
  }

  /** Request and answer are over: the connection may carry another one. */
  leave(): void {
    const { connection } = this;
    this.connection = undefined;
    connection?.finish();
  }

  /** Whatever comes of it, nobody wants it any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#reaching?.abort();
    this.connection?.close();
    this.connection = undefined;
  }

  get #key(): string {
    return this.upstream?.key ?? "";
  }

  #reach(upstream: Upstream, fresh: boolean): void {
    this.upstream = upstream;
    const kept = fresh ? undefined : this.#environment.pools.take(upstream.key);
    // At once: a kept connection that closes between being taken and used would not be noticed.
    if (kept !== undefined) this.#send(kept);
    else this.#open(upstream);
  }

  #open(upstream: Upstream): void {
    const { connectTimeoutMs } = this.#environment.limits;
    const timeoutMs = this.fellBack ? connectTimeoutMs : (this.#plan.connectTimeoutMs ?? connectTimeoutMs);
    this.#reaching = reach((signal) => this.#environment.pools.open(upstream, signal), timeoutMs, {
      reached: (connection) => {
        if (this.#isAbandoned) connection.close();
        else if (!connection.pipe.stream.writable) {
          connection.close();
          this.#unreachable("closed as soon as it was open");
        } else this.#send(connection);
      },
      failed: (error) => {
        if (!this.#isAbandoned) this.#unreachable(error);
      },
    });
  }

  #send(connection: UpstreamConnection): void {
    this.#reaching = undefined;
    this.connection = connection;
    this.#owner.attemptBegins();
    connection.begin(this.#owner);
    this.#sender.sendTo(connection.pipe);
    if (this.#clientHasEnded) connection.pipe.end();
  }

  #unreachable(error: unknown): void {
    this.failure ??= connectFailure(this.#key, error);
    this.#fallBack(this.failure);
  }

  #failed(failure: Failure, wasReused = false): void {
    this.connection = undefined;
    this.#sender.detach();
    const mayRepeat = this.#sender.mayRepeat && !this.#clientHasEnded;
    if (mayRepeat && wasReused && this.upstream !== undefined) {
      this.#reach(this.upstream, true);
      return;
    }
    this.failure ??= failure;
    if (mayRepeat) this.#fallBack(this.failure);
    else this.#owner.attemptsFailed(this.failure);
  }

  #fallBack(failure: Failure): void {
    const { fallback } = this.#plan;
    if (fallback === undefined || this.fellBack) {
      this.#owner.attemptsFailed(failure);
      return;
    }
    this.fellBack = true;
    this.#environment.stats.fallbacks++;
    this.#reach(fallback, this.#owner.asksUpgrade);
  }
}
