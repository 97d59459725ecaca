import { RoutingError } from "./routing-error.ts";
import { type CompiledRule, compareRules, compileRule } from "./rule.ts";
import { type Decision, everyRoute, type Override, type Reason, type Rule, type Table } from "./types.ts";

/** A table made ready for one port of its service. Costs O(n log n) once, so that a decision costs O(rules) at most. */
export interface IndexedTable {
  readonly revision: number;
  /** Decisions are made beforehand: none is allocated per request. */
  readonly byRoute: ReadonlyMap<string, Decision>;
  /** In the order in which they win. Without one, a request that carries no key is live: a caller may skip asking. */
  readonly rules: ReadonlyArray<{ readonly compiled: CompiledRule; readonly decision: Decision }>;
  /** Of a request that no key and no rule selects. One for all tables without wiretaps of every request. */
  readonly noMatch: Decision;
  /** Wiretaps of every request. */
  readonly taps: readonly Override[];
  /** Rules that this version cannot read (made by a newer manager), with the reason; they match nothing. */
  readonly unusable: ReadonlyArray<{ readonly rule: Rule; readonly error: RoutingError }>;
}

const noWiretaps: readonly Override[] = Object.freeze([]);
const noMatch: Decision = liveDecision("no-match", noWiretaps);

export function liveDecision(reason: Reason, wiretaps: readonly Override[], route?: string): Decision {
  return Object.freeze({
    destination: "live",
    reason,
    ...(route === undefined ? {} : { route }),
    wiretaps,
  });
}

/** Depends on the table's contents only, not on the order of its lists (I7). Never throws. */
export function indexTable(table: Table, port: string): IndexedTable {
  const isHere = (entry: Override | Rule): boolean => entry.service === table.service && entry.port === port;
  const overrides = new Map<string, Override>();
  for (const override of table.overrides.filter(isHere).sort(compareOverrides)) {
    if (!overrides.has(override.route)) overrides.set(override.route, override);
  }
  const wiretaps = indexWiretaps(table.wiretaps.filter(isHere).sort(compareOverrides));
  const taps = wiretaps.get(everyRoute) ?? noWiretaps;
  const byRoute = new Map<string, Decision>();
  for (const [route, override] of overrides) {
    byRoute.set(route, selected({ reason: "route", route, override, wiretaps: wiretaps.get(route) ?? taps }));
  }
  for (const [route, own] of wiretaps) {
    if (!byRoute.has(route)) byRoute.set(route, liveDecision("route-elsewhere", own, route));
  }
  const { rules, unusable } = indexRules(table.rules.filter(isHere), taps);
  return {
    revision: table.revision,
    byRoute,
    rules,
    noMatch: taps.length === 0 ? noMatch : liveDecision("no-match", taps),
    taps,
    unusable,
  };
}

/** By route, those of every request with each. */
function indexWiretaps(wiretaps: readonly Override[]): Map<string, Override[]> {
  const every = wiretaps.filter(({ route }) => route === everyRoute);
  const byRoute = new Map<string, Override[]>(every.length === 0 ? [] : [[everyRoute, every]]);
  for (const wiretap of wiretaps) {
    if (wiretap.route === everyRoute) continue;
    const taps = byRoute.get(wiretap.route);
    if (taps === undefined) byRoute.set(wiretap.route, [wiretap, ...every]);
    else taps.splice(taps.length - every.length, 0, wiretap);
  }
  return byRoute;
}

function indexRules(
  all: readonly Rule[],
  taps: readonly Override[],
): Pick<IndexedTable, "rules" | "unusable"> {
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
      const decision = selected({ reason: "rule", rule, override: rule.override, wiretaps: taps });
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
