import { RoutingError } from "./routing-error.ts";
import { type CompiledRule, compareRules, compileRule } from "./rule.ts";
import type { Decision, Override, Rule, Table } from "./types.ts";

/** A table made ready for one port of its service. Costs O(n log n) once, so that a decision costs O(rules) at most. */
export interface IndexedTable {
  readonly revision: number;
  /** Decisions are made beforehand: none is allocated per request. */
  readonly byRoute: ReadonlyMap<string, Decision>;
  /** In the order in which they win. Without one, a request that carries no key is live: a caller may skip asking. */
  readonly rules: ReadonlyArray<{ readonly compiled: CompiledRule; readonly decision: Decision }>;
  /** Rules that this version cannot read (made by a newer manager), with the reason; they match nothing. */
  readonly unusable: ReadonlyArray<{ readonly rule: Rule; readonly error: RoutingError }>;
}

export const noWiretaps: readonly Override[] = Object.freeze([]);

/** Depends on the table's contents only, not on the order of its lists (I7). Never throws. */
export function indexTable(table: Table, port: string): IndexedTable {
  const isHere = (entry: Override | Rule): boolean => entry.service === table.service && entry.port === port;
  const overrides = new Map<string, Override>();
  for (const override of table.overrides.filter(isHere).sort(compareOverrides)) {
    if (!overrides.has(override.route)) overrides.set(override.route, override);
  }
  const wiretaps = new Map<string, Override[]>();
  for (const wiretap of table.wiretaps.filter(isHere).sort(compareOverrides)) {
    const taps = wiretaps.get(wiretap.route);
    if (taps === undefined) wiretaps.set(wiretap.route, [wiretap]);
    else taps.push(wiretap);
  }
  const byRoute = new Map<string, Decision>();
  for (const [route, override] of overrides) {
    byRoute.set(
      route,
      selected({ reason: "route", route, override, wiretaps: wiretaps.get(route) ?? noWiretaps }),
    );
  }
  for (const [route, taps] of wiretaps) {
    if (byRoute.has(route)) continue;
    byRoute.set(
      route,
      Object.freeze({ destination: "live", reason: "route-elsewhere", route, wiretaps: taps }),
    );
  }
  const { rules, unusable } = indexRules(table.rules.filter(isHere));
  return {
    revision: table.revision,
    byRoute,
    rules,
    unusable,
  };
}

function indexRules(all: readonly Rule[]): Pick<IndexedTable, "rules" | "unusable"> {
  const rules: CompiledRule[] = [];
  const unusable: { rule: Rule; error: RoutingError }[] = [];
  for (const rule of all) {
    try {
      rules.push(compileRule(rule));
    } catch (error) {
      if (!(error instanceof RoutingError)) throw error;
      unusable.push({ rule, error });
    }
  }
  rules.sort(compareRules);
  return {
    rules: rules.map((compiled) => {
      const { rule } = compiled;
      const decision = selected({ reason: "rule", rule, override: rule.override, wiretaps: noWiretaps });
      return { compiled, decision };
    }),
    unusable,
  };
}

function selected(decision: Omit<Decision, "destination">): Decision {
  return Object.freeze({ destination: "override", ...decision });
}

/** The older of two overrides of one route wins; the manager lets no second one come into being. */
function compareOverrides(a: Override, b: Override): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
