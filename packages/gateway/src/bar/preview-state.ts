import type { Preview } from "@clew/control";

/** How a preview stands, in one word and for people. */
export interface PreviewState {
  /** `unchanged`: nothing is replaced, or not any more. */
  readonly kind: "connected" | "away" | "unchanged";
  readonly text: string;
}

/** Short enough for the bar, which has room for about twenty letters. */
export function stateOf({ replaces }: Preview): PreviewState {
  if (replaces.length === 0) return { kind: "unchanged", text: "nothing changed" };
  const isAway = replaces.some(({ reachable }) => !reachable);
  const hasMachine = replaces.some(({ kind }) => kind === "tunnel");
  if (isAway) return { kind: "away", text: hasMachine ? "machine away" : "instance away" };
  return { kind: "connected", text: hasMachine ? "machine connected" : "changes shown" };
}

/** Each thing that is replaced, and by what. */
export function describeReplacements({ replaces }: Preview): string[] {
  return replaces.map(({ service, owner, kind, reachable }) => {
    const from = kind === "tunnel" ? `from ${owner}’s machine` : `from another instance (${owner})`;
    return `${service} ${from}${reachable ? "" : ", away"}`;
  });
}

/** Rounded, as people say it: a preview of 24 hours ends in 24 hours. */
export function timeLeft(expiresAt: number, now: number): string {
  const minutes = Math.round((expiresAt - now) / 60_000);
  if (minutes < 1) return "in less than a minute";
  if (minutes < 120) return minutes === 1 ? "in a minute" : `in ${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `in ${hours} hours` : `in ${Math.round(hours / 24)} days`;
}
