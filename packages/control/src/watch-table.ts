import type { Table } from "@clew/routing";
import { type Clock, monotonicClock } from "./clock.ts";
import { guarded, keepWatching } from "./keep-watching.ts";
import { createKeyWatch } from "./key-watch.ts";
import type { ManagerClient } from "./manager-client.ts";
import { TableView } from "./table-view.ts";
import type { AgentInfo, RoutingKeys } from "./types.ts";

export interface TableWatcher {
  readonly client: ManagerClient;
  readonly service: string;
  readonly agent: AgentInfo;
  /** Gets a whole new table each time. Not called before the first one is known. */
  readonly onChange: (table: Table) => void;
  /** Gets the routing keys to believe, before the first table and before that of any later change. */
  readonly onKeys?: ((keys: RoutingKeys) => void) | undefined;
  /** Called when the connection is there, is gone, or stays away for another reason. */
  readonly onConnection?: ((up: boolean, error?: unknown) => void) | undefined;
  /** The only end. */
  readonly signal: AbortSignal;
  readonly clock?: Clock | undefined;
  readonly random?: (() => number) | undefined;
}

/**
 * Keeps one service's table up to date for ever: reconnects by itself, keeps the last table without a manager, and ends
 * leases by its own clock (I2). Never throws.
 */
export function watchTable(watcher: TableWatcher): void {
  const { client, service, agent, signal, clock = monotonicClock, random } = watcher;
  const useKeys = createKeyWatch(guarded(watcher.onKeys ?? (() => {})));
  const view = new TableView(clock, guarded(watcher.onChange));
  let isWhole = true;
  signal.addEventListener("abort", () => view.stop(), { once: true });
  void keepWatching({
    open(connection) {
      // After a gap only a snapshot helps.
      const since = isWhole ? view.revision : undefined;
      return client.tables.watch(
        { service, agent, ...(since === undefined ? undefined : { since }) },
        { signal: connection },
      );
    },
    onEvent(event) {
      if (event.kind === "snapshot") useKeys(event);
      isWhole = view.apply(event);
      return isWhole;
    },
    onConnection: guarded(watcher.onConnection ?? (() => {})),
    signal,
    clock,
    random,
  });
}
