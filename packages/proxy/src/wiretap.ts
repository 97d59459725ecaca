import type { Upstream } from "./types.ts";
import { WiretapCopy } from "./wiretap-copy.ts";

/** Gets a copy of requests. Nothing here throws or waits: a copy that cannot be made is dropped, the request never. */
export interface Tap {
  /** With the head of one request as it goes upstream. Undefined: this request's copy is dropped. */
  open(head: Buffer): TapStream | undefined;
}

/** The copy of one request. What is written is copied before the call returns. */
export interface TapStream {
  /** Bytes of the body as they go upstream, with the framing they have there. */
  write(bytes: Buffer): void;
  /** The request was sent whole. */
  end(): void;
  /** The request broke off, and so does its copy. */
  abort(): void;
}

/** Every limit of a wiretap (I8). What happens at each: the copy is dropped and counted. Times are in ms. */
export interface WiretapLimits {
  /** Reaching the tap. Default 1,000, as for any destination. */
  readonly connectTimeoutMs: number;
  /** After it could not be reached, how long no further copy is tried. Default 1,000: a dead tap costs one dial a second. */
  readonly retryAfterMs: number;
  /** Copies under way at once, their answers included. Default 32: somebody may sit at a breakpoint, and holds them. */
  readonly maxCopies: number;
  /** Bytes that a tap has not taken yet, of all its copies. Default 1 MiB: one large upload, or many usual requests. */
  readonly maxHeldBytes: number;
  /** How long an answer may last that nobody reads. Default 30,000; then its connection is ended, and its place is free. */
  readonly answerTimeoutMs: number;
}

export const defaultWiretapLimits: WiretapLimits = {
  connectTimeoutMs: 1_000,
  retryAfterMs: 1_000,
  maxCopies: 32,
  maxHeldBytes: 1024 * 1024,
  answerTimeoutMs: 30_000,
};

/** What several taps may hold together. */
export interface WiretapBudget {
  heldBytes: number;
  readonly maxHeldBytes: number;
}

/** All taps of one process that share a budget. Default 8 MiB: eight that are full, which is far from what an agent has to spare. */
export const maxHeldBytesOfAllTaps: number = 8 * 1024 * 1024;

/** Why a copy was dropped: nobody there, `maxHeldBytes`, `maxCopies`, or it broke off while it was sent. */
export type WiretapDrop = "unreachable" | "slow" | "busy" | "broken";

export interface WiretapStats {
  /** Requests whose copy was sent whole. */
  copied: number;
  dropped: number;
  lastDrop: WiretapDrop | undefined;
}

export interface Wiretap extends Tap {
  readonly stats: Readonly<WiretapStats>;
  /** Breaks off what is under way, and takes no more. */
  close(): void;
}

/**
 * A tap that sends each copy to `upstream` over a connection of its own, with `connection: close`, and reads and forgets the
 * answer. All memory that it holds is counted, against its own limit and the budget.
 */
export function createWiretap(
  upstream: Upstream,
  budget: WiretapBudget,
  limits: WiretapLimits = defaultWiretapLimits,
): Wiretap {
  const stats: WiretapStats = { copied: 0, dropped: 0, lastDrop: undefined };
  const copies = new Set<WiretapCopy>();
  let heldBytes = 0;
  let deadUntilMs = 0;
  let isClosed = false;

  const drop = (why: WiretapDrop): undefined => {
    stats.dropped += 1;
    stats.lastDrop = why;
    return undefined;
  };
  const hold = (bytes: number): boolean => {
    if (heldBytes + bytes > limits.maxHeldBytes || budget.heldBytes + bytes > budget.maxHeldBytes)
      return false;
    heldBytes += bytes;
    budget.heldBytes += bytes;
    return true;
  };
  const release = (bytes: number): void => {
    heldBytes -= bytes;
    budget.heldBytes -= bytes;
  };

  return {
    stats,
    open(head) {
      if (isClosed) return undefined;
      if (performance.now() < deadUntilMs) return drop("unreachable");
      if (copies.size >= limits.maxCopies) return drop("busy");
      const copy = new WiretapCopy({
        upstream,
        limits,
        hold,
        release,
        onSent() {
          stats.copied += 1;
        },
        onDropped(why) {
          if (why === "unreachable") deadUntilMs = performance.now() + limits.retryAfterMs;
          drop(why);
        },
        onOver: () => copies.delete(copy),
      });
      copies.add(copy);
      copy.start(head);
      return copy;
    },
    close() {
      isClosed = true;
      for (const copy of copies) copy.abort();
    },
  };
}
