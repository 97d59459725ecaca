import { RequestHeadParser, ResponseHeadParser } from "@clew/wire";
import { Clock } from "./clock.ts";
import type { ProxyLimits } from "./limits.ts";
import { createStats, type ProxyStats } from "./stats.ts";
import { UpstreamPools } from "./upstream-pools.ts";
import { WriteBatch } from "./write-batch.ts";

/** What the connections and exchanges of one proxy share. */
export class Environment {
  readonly limits: ProxyLimits;
  readonly onError: (error: unknown) => void;
  readonly stats: ProxyStats = createStats();
  readonly clock: Clock;
  readonly pools: UpstreamPools;
  readonly batch: WriteBatch;
  /** For heads that come in one piece, as nearly all do: a connection at rest needs no parser of its own. */
  readonly requestParser: RequestHeadParser;
  readonly answerParser: ResponseHeadParser;
  /** The proxy is closing: connections end after their answer. */
  isDraining = false;

  constructor(limits: ProxyLimits, onError: (error: unknown) => void) {
    this.limits = limits;
    this.onError = onError;
    this.clock = new Clock(limits);
    this.batch = new WriteBatch(limits.busyWritesPerSecond);
    this.requestParser = new RequestHeadParser(limits);
    this.answerParser = new ResponseHeadParser(limits);
    this.pools = new UpstreamPools(this);
  }
}
