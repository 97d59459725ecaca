import type { DecisionReport } from "@clew/control";
import { createBell } from "./bell.ts";
import type { ManagerClock } from "./clock.ts";
import type { ManagerLimits } from "./limits.ts";
import { ManagerError } from "./manager-error.ts";

/** What agents told of single requests. In memory and of this manager alone: worth minutes, not a restart. */
export interface Decisions {
  report(decisions: readonly DecisionReport[]): void;
  /**
   * Those still remembered, then new ones, until the signal aborts: with a nonce those of that request, without one all.
   * Throws `E_WATCH_BEHIND`.
   */
  watch(nonce: string | undefined, signal: AbortSignal): AsyncGenerator<DecisionReport, void>;
}

interface Remembered {
  readonly decisions: DecisionReport[];
  reportedMs: number;
}

export function createDecisions(
  clock: ManagerClock,
  limits: Pick<
    ManagerLimits,
    "maxDecisionNonces" | "maxDecisionsPerNonce" | "decisionRetentionMs" | "maxDecisionsQueued"
  >,
): Decisions {
  /** In the order of their last report, so the first is the one to forget. The key "" holds those of all requests. */
  const byNonce = new Map<string, Remembered>();
  const watchers = new Set<(decision: DecisionReport) => void>();

  const remember = (nonce: string, decision: DecisionReport): void => {
    const remembered = byNonce.get(nonce) ?? { decisions: [], reportedMs: 0 };
    remembered.decisions.push(decision);
    if (remembered.decisions.length > limits.maxDecisionsPerNonce) remembered.decisions.shift();
    remembered.reportedMs = clock.monotonicMs();
    byNonce.delete(nonce);
    byNonce.set(nonce, remembered);
  };

  const forget = (): void => {
    const oldestMs = clock.monotonicMs() - limits.decisionRetentionMs;
    for (const [nonce, { reportedMs }] of byNonce) {
      if (reportedMs > oldestMs && byNonce.size <= limits.maxDecisionNonces) return;
      byNonce.delete(nonce);
    }
  };

  return {
    report(decisions) {
      for (const decision of decisions) {
        remember("", decision);
        if (decision.nonce) remember(decision.nonce, decision);
        for (const tell of watchers) tell(decision);
      }
      forget();
    },

    async *watch(nonce, signal) {
      forget();
      const bell = createBell();
      const queue = [...(byNonce.get(nonce ?? "")?.decisions ?? [])];
      let behind = false;
      const tell = (decision: DecisionReport): void => {
        if (nonce !== undefined && decision.nonce !== nonce) return;
        if (queue.length >= limits.maxDecisionsQueued) behind = true;
        else queue.push(decision);
        bell.ring();
      };
      watchers.add(tell);
      try {
        while (!signal.aborted) {
          const next = queue.shift();
          if (next) yield next;
          else if (behind) throw tooSlow(limits.maxDecisionsQueued);
          else await bell.wait(undefined, signal);
        }
      } finally {
        watchers.delete(tell);
      }
    },
  };
}

function tooSlow(max: number): ManagerError {
  return new ManagerError(
    "E_WATCH_BEHIND",
    `More than ${max} decisions wait to be read (maxDecisionsQueued).`,
    {
      retryable: true,
      hint: "Watch a single nonce, or read faster; what was missed in between is gone.",
    },
  );
}
