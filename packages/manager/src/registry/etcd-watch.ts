import { setTimeout as delay } from "node:timers/promises";
import { type EtcdGateway, EtcdRefusal } from "./etcd-gateway.ts";
import { fromBase64, type KeyRange, type StoredKey } from "./etcd-keys.ts";
import type { WatchEvent } from "./registry.ts";
import type { OnReport } from "./report.ts";

/** The wait before a broken watch is opened again: doubled each time, then drawn between half and all of it. */
const firstRetryMs = 100;
const maxRetryMs = 5_000;

interface WatchMessage {
  readonly result: {
    readonly header: { readonly cluster_id: string; readonly revision: string };
    readonly created?: boolean;
    readonly canceled?: boolean;
    readonly cancel_reason?: string;
    readonly compact_revision?: string;
    readonly events?: ReadonlyArray<{ readonly type?: "PUT" | "DELETE"; readonly kv: StoredKey }>;
  };
}

export interface WatchRequest {
  readonly range: KeyRange;
  /** Cut off the keys that are told. */
  readonly prefixLength: number;
  readonly afterRevision: number;
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  readonly onReport: OnReport;
}

/**
 * Opens etcd's watch again and again from where the last whole message left it, so that nothing is
 * lost or told twice. One message holds all events of the revisions in it.
 */
export async function* watchEtcd(
  gateway: EtcdGateway,
  request: WatchRequest,
): AsyncGenerator<WatchEvent, void> {
  const { range, silenceMs, signal, onReport } = request;
  let { afterRevision } = request;
  let cluster: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    // One revision early, as etcd may have dropped a delete at the very revision that it compacted to.
    const create = { ...range, start_revision: Math.max(1, afterRevision), progress_notify: true };
    try {
      for await (const { result } of gateway.stream<WatchMessage>(
        "/v3/watch",
        { create_request: create },
        silenceMs,
        signal,
      )) {
        cluster ??= result.header.cluster_id;
        if (cluster !== result.header.cluster_id || Number(result.compact_revision ?? 0) > 0) {
          yield { kind: "compacted", revision: Number(result.compact_revision ?? result.header.revision) };
          return;
        }
        if (result.canceled)
          throw new Error(`etcd ended the watch: ${result.cancel_reason ?? "no reason given"}`);
        if (failures > 0) onReport({ kind: "watch-resumed", afterRevision });
        failures = 0;
        const events = eventsOf(result, request.prefixLength).filter(
          (event) => revisionOf(event) > afterRevision,
        );
        for (const event of events) {
          if (signal.aborted) return;
          yield event;
        }
        const last = events.at(-1);
        if (last !== undefined) afterRevision = revisionOf(last);
        // A message without events says that all up to its revision was told.
        else if (!result.created && result.events === undefined) {
          afterRevision = Math.max(afterRevision, Number(result.header.revision));
        }
      }
    } catch (error) {
      if (error instanceof EtcdRefusal) throw error;
      if (failures === 0) onReport({ kind: "watch-broken", cause: error });
      failures += 1;
      const waitMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
      await delay(waitMs, undefined, { signal }).catch(() => {}); // Aborted: the loop ends.
    }
  }
}

function eventsOf(
  result: WatchMessage["result"],
  prefixLength: number,
): Array<Exclude<WatchEvent, { kind: "compacted" }>> {
  return (result.events ?? []).map(({ type, kv }) => {
    const key = fromBase64(kv.key).slice(prefixLength);
    const revision = Number(kv.mod_revision);
    if (type === "DELETE") return { kind: "delete", key, revision };
    return { kind: "put", entry: { key, value: fromBase64(kv.value ?? ""), revision } };
  });
}

function revisionOf(event: Exclude<WatchEvent, { kind: "compacted" }>): number {
  return event.kind === "put" ? event.entry.revision : event.revision;
}
