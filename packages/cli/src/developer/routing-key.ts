import type { ManagerClient, RoutingKeyGrant } from "@clew/control";
import { describeDuration } from "../output/table.ts";

/** A key of this route, from the manager: only it knows whether plain names count, and only it can sign. */
export function requestRoutingKey(client: ManagerClient, route: string): Promise<RoutingKeyGrant> {
  return client.routes.key({ route });
}

/** For how long a key is good, as a person reads it; undefined for ever. */
export function describeKeyLifetime(expiresAt: number | undefined): string | undefined {
  return expiresAt === undefined ? undefined : `for ${describeDuration(expiresAt - Date.now())}`;
}

/** A new key comes this long before the old one ends: time to put it where the old one was. */
const renewBeforeMs = 600_000;
/** Longest wait of a timer; a key that lives longer is looked at again then. */
const maxTimerMs = 2_147_483_647;
/** Between attempts while the manager is away. */
const retryMs = 30_000;

/**
 * Calls `onKey` with a new key of the route each time the last one is about to expire; an intercept outlives its first
 * key. Ends with the signal.
 */
export function keepRoutingKey(options: {
  readonly client: ManagerClient;
  readonly route: string;
  readonly expiresAt: number | undefined;
  readonly signal: AbortSignal;
  readonly onKey: (grant: RoutingKeyGrant) => void;
}): void {
  const { client, route, signal, onKey } = options;
  let { expiresAt } = options;
  let timer: NodeJS.Timeout | undefined;
  const wait = (delayMs: number): void => {
    if (!signal.aborted) timer = setTimeout(() => void look(), Math.min(delayMs, maxTimerMs)).unref();
  };
  const dueInMs = (end: number): number => Math.max(0, end - renewBeforeMs - Date.now());
  const look = async (): Promise<void> => {
    if (expiresAt === undefined) return;
    if (dueInMs(expiresAt) > 0) return wait(dueInMs(expiresAt));
    try {
      const grant = await requestRoutingKey(client, route);
      expiresAt = grant.expiresAt;
      if (!signal.aborted) onKey(grant);
    } catch {
      // The manager is away: the old key still works, and the next attempt comes.
    }
    wait(retryMs);
  };
  signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  void look();
}
