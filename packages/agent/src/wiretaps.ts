import { maxWiretapsPerReport, type WiretapCounts } from "@clew/control";
import { createWiretap, type Tap, type Wiretap, type WiretapBudget, type WiretapLimits } from "@clew/proxy";
import type { Override } from "@clew/routing";
import type { SessionDialer } from "@clew/tunnel";
import { createOverrideUpstreams, targetKey } from "./upstreams.ts";

/** The taps of one port: one per wiretap in the table. */
export interface Wiretaps {
  /** Those of one decision. The same array each time for the same decision: nothing is allocated per request. */
  of(wiretaps: readonly Override[]): readonly Tap[];
  /** Ends all but these; one whose target is another now begins anew. */
  use(wiretaps: readonly Override[]): void;
  /** What became of the copies of each, those of a former target included. */
  counts(): Array<WiretapCounts & { readonly id: string; readonly owner: string }>;
  close(): void;
}

interface Running {
  readonly wiretap: Override;
  readonly tap: Wiretap;
  /** Of taps to former targets. */
  readonly before: WiretapCounts;
}

export function createWiretaps(
  dialer: SessionDialer,
  budget: WiretapBudget,
  limits: WiretapLimits,
): Wiretaps {
  const upstreams = createOverrideUpstreams(dialer);
  const running = new Map<string, Running>();
  let known = new WeakMap<readonly Override[], readonly Tap[]>();
  const none: readonly Tap[] = [];

  return {
    of(wiretaps) {
      if (wiretaps.length === 0) return none;
      let taps = known.get(wiretaps);
      if (taps === undefined) {
        taps = wiretaps.flatMap(({ id }) => running.get(id)?.tap ?? []);
        known.set(wiretaps, taps);
      }
      return taps;
    },
    use(wiretaps) {
      known = new WeakMap();
      const wanted = new Map(wiretaps.map((wiretap) => [wiretap.id, wiretap]));
      for (const [id, { tap }] of running) {
        if (wanted.has(id)) continue;
        tap.close();
        running.delete(id);
      }
      for (const [id, wiretap] of wanted) {
        const former = running.get(id);
        if (former !== undefined && targetKey(former.wiretap.target) === targetKey(wiretap.target)) continue;
        former?.tap.close();
        const before = former === undefined ? { copied: 0, dropped: 0 } : countsOf(former);
        running.set(id, { wiretap, before, tap: createWiretap(upstreams.of(wiretap), budget, limits) });
      }
      upstreams.keepOnly(wiretaps);
    },
    counts: () =>
      [...running.values()].map((each) => ({
        id: each.wiretap.id,
        owner: each.wiretap.owner,
        ...countsOf(each),
      })),
    close() {
      for (const { tap } of running.values()) tap.close();
    },
  };
}

function countsOf({ tap: { stats }, before }: Running): WiretapCounts {
  const lastDrop = stats.lastDrop ?? before.lastDrop;
  return {
    copied: before.copied + stats.copied,
    dropped: before.dropped + stats.dropped,
    ...(lastDrop === undefined ? {} : { lastDrop }),
  };
}

/** Tells the manager what became of copies, whenever that is news, and the log of those that were dropped. */
export interface WiretapReports {
  close(): void;
}

export function startWiretapReports(options: {
  readonly intervalMs: number;
  counts(): Array<WiretapCounts & { readonly id: string; readonly owner: string }>;
  /** Rejects when the manager is away: then the next report says it all. */
  report(wiretaps: ReadonlyArray<WiretapCounts & { readonly id: string }>): Promise<unknown>;
  /** So many more copies of one wiretap were dropped since the last time. */
  onDropped(wiretap: { readonly id: string; readonly owner: string }, count: number, why: string): void;
}): WiretapReports {
  let told = "[]";
  let dropped: ReadonlyMap<string, number> = new Map();
  let isBusy = false;
  const look = async (): Promise<void> => {
    const counts = options.counts();
    for (const { id, owner, dropped: now, lastDrop = "broken" } of counts) {
      const more = now - (dropped.get(id) ?? 0);
      if (more > 0) options.onDropped({ id, owner }, more, lastDrop);
    }
    dropped = new Map(counts.map(({ id, dropped: now }) => [id, now]));
    const news = counts.slice(0, maxWiretapsPerReport).map(({ owner: _, ...report }) => report);
    const text = JSON.stringify(news);
    if (isBusy || text === told) return;
    isBusy = true;
    try {
      await options.report(news);
      told = text;
    } catch {
      // The manager is away. Counts are sums, so nothing is lost by it.
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void look(), options.intervalMs).unref();
  return { close: () => clearInterval(timer) };
}
