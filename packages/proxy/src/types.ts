import type { Server } from "node:net";
import type { Duplex } from "node:stream";
import type { ProxyStats } from "./stats.ts";
import type { Tap } from "./wiretap.ts";

/** One request's head, as it came. */
export interface RequestHead {
  readonly method: string;
  /** The request-target as received. */
  readonly target: string;
  /** The target's path without query (`/` for an absolute-form target without one). */
  readonly path: string;
  readonly httpVersion: string;
  /** Name, value, name, value …, as received. */
  readonly rawHeaders: readonly string[];
  /** By lower-case name. Several lines of one name come joined by `, `, in order. */
  header(name: string): string | undefined;
  /** Whether a line of this name (lower-case) has this text (ASCII) in its value: for what most requests have not. */
  includes(name: string, text: string): boolean;
  /** The protocol asked for by `upgrade`, if `connection` names it. */
  readonly upgrade: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly localPort: number | undefined;
  /** The client's connection, only to be looked at: whether it is a `TLSSocket`, and whose certificate it has. */
  readonly connection: Duplex;
}

/** An answer's head, as the upstream gave it. */
export interface AnswerHead {
  readonly status: number;
  readonly fellBack: boolean;
  /** Name, value, name, value …, as received. */
  readonly rawHeaders: readonly string[];
}

/** How long an upstream's answers to requests may take. Times are in ms; undefined is none. */
export interface AnswerLimits {
  /**
   * For the answer to begin once the upstream has the whole request; an interim answer begins the wait anew. Then 504, or the
   * fallback where the request may be repeated. Default none: an answer may be waited for on purpose (a long poll), and
   * somebody may sit at a breakpoint.
   */
  readonly answerTimeoutMs?: number | undefined;
  /**
   * For silence in the middle of the answer, while the client takes it; then it is broken off. Not after an upgrade. Default none: a
   * stream of events may be silent for long.
   */
  readonly answerIdleTimeoutMs?: number | undefined;
}

/** Where bytes can be sent: one key, one pool of kept connections. */
export interface Upstream extends AnswerLimits {
  /** Pool key: connections to two upstreams with one key are interchangeable. */
  readonly key: string;
  /** Opens one byte pipe. Rejects when it cannot be reached; nothing was sent then. */
  connect(signal: AbortSignal): Promise<Duplex>;
}

export interface HeaderEdits {
  /** Lower-case names taken out, all lines of each. Removal comes before setting. */
  readonly remove?: readonly string[] | undefined;
  /** Lines added at the end, after removal. */
  readonly set?: ReadonlyArray<readonly [name: string, value: string]> | undefined;
}

/** How one request is forwarded. */
export interface Plan {
  readonly upstream: Upstream;
  /** Takes the request where invariant I3 allows: see design of fail-open in docs/reference/routing.md. */
  readonly fallback?: Upstream | undefined;
  readonly requestHeaders?: HeaderEdits | undefined;
  /** Asked once, when the answer's head is there. */
  responseHeaders?(answer: AnswerHead): HeaderEdits | undefined;
  /**
   * Asked once per answer that has a body, after `responseHeaders`: what its body goes through on its way to the client, if
   * anything. Such a body loses its `content-length` and its trailers. The filter's error breaks the answer off; it is
   * destroyed when the answer breaks off or the client leaves.
   */
  filterBody?(answer: AnswerHead): Duplex | undefined;
  /**
   * Each gets a copy of the request as it goes upstream the first time; not of an upgrade, whose answer it would have to give.
   * None of them can hold the request up.
   */
  readonly taps?: readonly Tap[] | undefined;
  /** Limit for reaching `upstream`, in ms. Default `limits.connectTimeoutMs`. */
  readonly connectTimeoutMs?: number | undefined;
  /** The answer sent when neither upstream nor fallback took the request. Default: 502 with a `clew-error` header. */
  failed?(failure: Failure): LocalAnswer;
  /** Called exactly once, when the exchange is over. Must not throw. */
  done?(outcome: Outcome): void;
}

/** An answer made here; nothing is forwarded. */
export interface LocalAnswer {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  readonly body: string;
}

export interface Failure {
  /** Stable code, such as `E_UPSTREAM_UNREACHABLE`. */
  readonly code: string;
  readonly message: string;
  /** How far the request had come when it failed. */
  readonly stage: "connect" | "request" | "answer";
}

export interface Outcome {
  readonly status: number | undefined;
  readonly fellBack: boolean;
  /** Why the first upstream did not serve, when it did not. */
  readonly failure?: Failure | undefined;
  /** The answer broke off in its middle, or the client went away. */
  readonly broken?: "upstream" | "client" | undefined;
  readonly durationMs: number;
}

export type Route = (head: RequestHead) => Plan | LocalAnswer;

export interface Proxy {
  readonly address: { readonly host: string; readonly port: number };
  /** What listens, so that it can be handed to another process. */
  readonly server: Server;
  /** Ends idle connections to an upstream, and busy ones after their answer. */
  retire(upstreamKey: string): void;
  /** What it has done so far. */
  readonly stats: ProxyStats;
  /**
   * Stops accepting, lets what runs finish (`connection: close`), cuts the rest after `graceMs`. Idle connections end after
   * `idleGraceMs` (default 0, at once): a request may be on its way to them.
   */
  close(options?: { readonly graceMs?: number; readonly idleGraceMs?: number }): Promise<void>;
}
