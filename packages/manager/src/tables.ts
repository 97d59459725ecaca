import { diffTables, type Leases, type RoutingKeys, type TableEvent } from "@clew/control";
import type { Override, Rule, Table } from "@clew/routing";
import { createBell } from "./bell.ts";
import type { Core } from "./core.ts";
import type { Directory } from "./directory.ts";
import type { View } from "./directory-state.ts";
import { leaseRemainingMs } from "./sessions.ts";

export interface Tables {
  /** A snapshot, then deltas and leases, until the signal aborts. */
  watch(service: string, signal: AbortSignal): AsyncGenerator<TableEvent, void>;
}

/**
 * Each watcher compares what it was sent with what is, whenever that changes: nothing is queued for it, so a slow one costs
 * nothing and gets fewer, larger deltas (I8).
 */
export function createTables(core: Core): Tables {
  const { directory, limits, keys: ring } = core;
  const bell = createBell();
  const tables = new Map<string, Table>();

  directory.onChange(({ services, keys }) => {
    for (const service of services) tables.delete(service);
    if (services.size > 0 || keys) bell.ring();
  });

  /** The same object as long as nothing of it changed, its sessions' leases included. */
  const tableOf = (service: string): Table => {
    const known = tables.get(service);
    if (known) return known;
    const table = storedTable(directory, service);
    tables.set(service, table);
    return table;
  };

  return {
    async *watch(service, signal) {
      let looked = tableOf(service);
      let sent = looked;
      let keys = ring.told;
      yield { kind: "snapshot", table: sent, leases: leasesOf(core, sent), keys };
      let toldMs = performance.now();
      while (!signal.aborted) {
        const isAsTold = (): boolean => looked === tableOf(service) && keys === ring.told;
        if (isAsTold()) {
          const leftMs = Math.max(0, limits.leaseRefreshMs - (performance.now() - toldMs));
          const woken = await bell.wait(leftMs, signal);
          if (woken === "aborted") return;
          if (woken === "rung" && isAsTold()) continue;
        }
        looked = tableOf(service);
        toldMs = performance.now();
        const leases = leasesOf(core, looked);
        const event: TableEvent =
          keys === ring.told
            ? eventBetween(sent, looked, { leases, keys })
            : { kind: "snapshot", table: looked, leases, keys: ring.told };
        keys = ring.told;
        if (event.kind !== "leases") sent = looked;
        yield event;
      }
    },
  };
}

function eventBetween(
  sent: Table,
  table: Table,
  { leases, keys }: { readonly leases: Leases; readonly keys: RoutingKeys },
): TableEvent {
  const delta = diffTables(sent, table);
  if (!delta) return { kind: "snapshot", table, leases, keys };
  const changed = delta.putOverrides.length + delta.putRules.length + delta.removed.length > 0;
  return changed ? { kind: "delta", ...delta, leases } : { kind: "leases", leases };
}

/** A service's table as the registry has it, but for the relays, which are those of the sessions now. */
export function storedTable(
  { view, revision }: Pick<Directory, "view" | "revision">,
  service: string,
): Table {
  return {
    revision,
    service,
    overrides: view.overrides.ofService(service).map((override) => atRelay(view, override)),
    rules: view.rules.ofService(service).map((rule) => ruleAtRelay(view, rule)),
    wiretaps: view.wiretaps.ofService(service).map((wiretap) => atRelay(view, wiretap)),
  };
}

/** A session that was resumed elsewhere is reached through its new manager's relay. */
export function atRelay(view: View, override: Override): Override {
  const { target, session } = override;
  if (target.kind !== "tunnel" || session === undefined) return override;
  const relay = view.sessions.get(session)?.relay ?? target.relay;
  return relay === target.relay ? override : { ...override, target: { ...target, relay } };
}

export function ruleAtRelay(view: View, rule: Rule): Rule {
  const override = atRelay(view, rule.override);
  return override === rule.override ? rule : { ...rule, override };
}

function leasesOf(core: Core, { overrides, rules, wiretaps }: Table): Leases {
  const leases: Record<string, number> = {};
  for (const { session } of [...overrides, ...rules.map((rule) => rule.override), ...wiretaps]) {
    if (session !== undefined) leases[session] ??= leaseRemainingMs(core, session);
  }
  return leases;
}
