import { isDeepStrictEqual } from "node:util";
import type { Override, Rule, Table } from "@clew/routing";
import type { TableEvent } from "./types.ts";

export type TableDelta = Omit<Extract<TableEvent, { kind: "delta" }>, "kind" | "leases">;

/**
 * What turns one table into the next. Undefined when a delta cannot say it (another service, changed wiretaps, or an
 * id that moved between overrides and rules): then a snapshot is due. `applyDelta(previous, delta)` equals `next`, but
 * for the order of its entries, which no decision depends on (I7).
 */
export function diffTables(previous: Table, next: Table): TableDelta | undefined {
  if (previous.service !== next.service || !isDeepStrictEqual(previous.wiretaps, next.wiretaps))
    return undefined;
  const kept = new Set([...next.overrides, ...next.rules].map(({ id }) => id));
  const removed = [...previous.overrides, ...previous.rules]
    .map(({ id }) => id)
    .filter((id) => !kept.has(id));
  const overrides = byId(previous.overrides);
  const rules = byId(previous.rules);
  if (next.rules.some(({ id }) => overrides.has(id)) || next.overrides.some(({ id }) => rules.has(id)))
    return undefined;
  return {
    previous: previous.revision,
    revision: next.revision,
    putOverrides: next.overrides.filter((entry) => !isDeepStrictEqual(entry, overrides.get(entry.id))),
    putRules: next.rules.filter((entry) => !isDeepStrictEqual(entry, rules.get(entry.id))),
    removed,
  };
}

/** Undefined when the delta builds on another revision than the table's: a gap. */
export function applyDelta(table: Table, delta: TableDelta): Table | undefined {
  if (delta.previous !== table.revision) return undefined;
  const removed = new Set(delta.removed);
  return {
    ...table,
    revision: delta.revision,
    overrides: replace(table.overrides, delta.putOverrides, removed),
    rules: replace(table.rules, delta.putRules, removed),
  };
}

function byId<Entry extends Override | Rule>(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function replace<Entry extends Override | Rule>(
  entries: readonly Entry[],
  puts: readonly Entry[],
  removed: ReadonlySet<string>,
): Entry[] {
  const merged = byId(entries);
  for (const id of removed) merged.delete(id);
  for (const entry of puts) merged.set(entry.id, entry);
  return [...merged.values()];
}
