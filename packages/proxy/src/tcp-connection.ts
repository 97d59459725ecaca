import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { breakOff } from "./break-off.ts";
import { connectFailure } from "./proxy-error.ts";
import { type Reach, reach } from "./reach.ts";
import type { TcpLimits } from "./tcp-limits.ts";
import type { TcpBreak, TcpPlan, TcpStats } from "./tcp-types.ts";
import type { Failure, Upstream } from "./types.ts";

/** Sweeps without a byte after which a connection is idle. See {@link TcpConnection.sweep}. */
export const sweepsUntilIdle = 4;

export interface TcpEnvironment {
  readonly limits: TcpLimits;
  readonly stats: TcpStats;
  readonly onError: (error: unknown) => void;
}

/**
 * One client's connection, from its acceptance to its end:
 *
 *   reach → join → over
 *
 * A failure in *reach*, or an end in *join* before a byte passed either way, leads to the fallback: the client cannot tell.
 * After that nothing leads back. Each direction is read only as fast as the other side takes it, and an end is passed on as an
 * end (half-close), a break as a break.
 */
export class TcpConnection {
  readonly #environment: TcpEnvironment;
  readonly #client: Socket;
  readonly #plan: TcpPlan;
  readonly #whenOver: () => void;
  readonly #startedAt = performance.now();
  #reaching: Reach | undefined;
  #upstream: Duplex | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #sweeps = 0;
  #clientEnded = false;
  #fellBack = false;
  #failure: Failure | undefined;
  #isOver = false;

  constructor(environment: TcpEnvironment, client: Socket, plan: TcpPlan, whenOver: () => void) {
    this.#environment = environment;
    this.#client = client;
    this.#plan = plan;
    this.#whenOver = whenOver;
  }

  get group(): string | undefined {
    return this.#fellBack ? undefined : this.#plan.group;
  }

  start(): void {
    const client = this.#client;
    // The close that follows tells what is to be done.
    client.on("error", () => client.destroy());
    client.on("close", () => this.#closed("client"));
    client.on("drain", () => this.#upstream?.resume());
    // For good: it may come in the moment in which one upstream makes way for the other.
    client.on("end", () => {
      this.#clientEnded = true;
      this.#upstream?.end();
    });
    this.#reach(this.#plan.upstream);
  }

  /** Called at regular intervals, instead of a timer for each connection. */
  sweep(): void {
    if (this.#upstream === undefined) return;
    this.#sweeps += 1;
    if (this.#sweeps > sweepsUntilIdle) this.breakOff("idle");
  }

  breakOff(why: TcpBreak): void {
    if (this.#isOver) return;
    breakOff(this.#client);
    if (this.#upstream !== undefined) breakOff(this.#upstream);
    this.#finish(why);
  }

  #reach(upstream: Upstream): void {
    const { connectTimeoutMs } = this.#environment.limits;
    const timeoutMs = this.#fellBack ? connectTimeoutMs : (this.#plan.connectTimeoutMs ?? connectTimeoutMs);
    this.#reaching = reach((signal) => upstream.connect(signal), timeoutMs, {
      reached: (stream) => {
        if (this.#isOver) stream.destroy();
        else this.#join(upstream, stream);
      },
      failed: (error) => {
        if (!this.#isOver) this.#fallBack(upstream, error);
      },
    });
  }

  #fallBack(from: Upstream, error: unknown): void {
    this.#failure ??= connectFailure(from.key, error);
    this.#upstream = undefined;
    const { fallback } = this.#plan;
    if (fallback === undefined || this.#fellBack) {
      this.breakOff("unreachable");
      return;
    }
    this.#fellBack = true;
    this.#environment.stats.fallbacks += 1;
    this.#reach(fallback);
  }

  #join(from: Upstream, upstream: Duplex): void {
    const client = this.#client;
    let reason: unknown;
    const isCurrent = (): boolean => this.#upstream === upstream;
    const isUntouched = (): boolean => this.#bytesIn + this.#bytesOut === 0 && !this.#clientEnded;
    const leaveIt = (error: unknown): boolean => {
      if (!isUntouched() || this.#fellBack || this.#plan.fallback === undefined) return false;
      client.off("data", send).pause();
      this.#fallBack(from, error);
      upstream.destroy();
      return true;
    };
    const send = (bytes: Buffer): void => {
      this.#count(bytes.length, 0);
      if (!upstream.write(bytes)) client.pause();
    };
    this.#upstream = upstream;
    upstream.on("data", (bytes: Buffer) => {
      this.#count(0, bytes.length);
      if (!client.write(bytes)) upstream.pause();
    });
    upstream.on("drain", () => client.resume());
    upstream.on("end", () => {
      if (isCurrent() && !leaveIt("it ended at once")) client.end();
    });
    upstream.on("error", (error) => {
      reason = error;
      upstream.destroy();
    });
    upstream.on("close", () => {
      if (!isCurrent() || this.#isOver) return;
      const isOrderly = upstream.readableEnded && upstream.writableFinished;
      if (isOrderly || !leaveIt(reason ?? "it broke off at once")) this.#closed("upstream");
    });
    client.on("data", send).resume();
    if (this.#clientEnded) upstream.end();
    // One that closed before anybody listened will not say so again.
    if (upstream.destroyed && isCurrent() && !leaveIt("it broke off at once")) this.#closed("upstream");
  }

  #count(bytesIn: number, bytesOut: number): void {
    const { stats } = this.#environment;
    this.#sweeps = 0;
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
    stats.bytesIn += bytesIn;
    stats.bytesOut += bytesOut;
  }

  #closed(side: "client" | "upstream"): void {
    if (this.#isOver) return;
    const [self, other] = side === "client" ? [this.#client, this.#upstream] : [this.#upstream, this.#client];
    const isOrderly = self?.readableEnded === true && self.writableFinished;
    if (isOrderly && other !== undefined) {
      if (other.destroyed) this.#finish(undefined);
      return;
    }
    if (other !== undefined) breakOff(other);
    this.#finish(side);
  }

  #finish(broken: TcpBreak | undefined): void {
    this.#isOver = true;
    this.#reaching?.abort();
    this.#whenOver();
    try {
      this.#plan.done?.({
        fellBack: this.#fellBack,
        failure: this.#failure,
        broken,
        bytesIn: this.#bytesIn,
        bytesOut: this.#bytesOut,
        durationMs: performance.now() - this.#startedAt,
      });
    } catch (error) {
      this.#environment.onError(error);
    }
  }
}
