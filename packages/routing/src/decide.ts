import { type IndexedTable, liveDecision } from "./indexed-table.ts";
import { ruleMatches } from "./rule.ts";
import type { Decision, RoutableRequest } from "./types.ts";

export interface DecideOptions {
  /** Exact paths. Default: the three that Kubernetes' own components use. */
  readonly healthPaths?: readonly string[] | undefined;
  /** Beginnings of `user-agent`. Default: the checkers of Kubernetes and of the large clouds' load balancers. */
  readonly healthAgents?: readonly string[] | undefined;
}

export const defaultHealthPaths: readonly string[] = ["/healthz", "/livez", "/readyz"];
export const defaultHealthAgents: readonly string[] = ["kube-probe/", "ELB-HealthChecker/", "GoogleHC/"];

const healthCheck = liveDecision("health-check", []);
const noOptions: DecideOptions = {};

/**
 * Where one request goes, and why. The only place that decides (I6): the same table and request give the same decision
 * everywhere (I7). Pure: keys were verified and clocks looked at before. Allocates nothing but for a live decision about a key.
 */
export function decide(
  request: RoutableRequest,
  table: IndexedTable,
  options: DecideOptions = noOptions,
): Decision {
  const decision = select(request, table);
  // Asked last, so that requests that nothing selects do not pay for it.
  const touched = decision.destination === "override" || decision.wiretaps.length > 0;
  return touched && isHealthCheck(request, options) ? healthCheck : decision;
}

function select(request: RoutableRequest, table: IndexedTable): Decision {
  const { status, route } = request.key;
  switch (status) {
    case "none":
      for (const { compiled, decision } of table.rules) {
        if (ruleMatches(compiled, request)) return decision;
      }
      return table.noMatch;
    case "open":
    case "valid":
      if (route === undefined) return liveDecision("key-invalid", table.taps);
      return table.byRoute.get(route) ?? liveDecision("route-elsewhere", table.taps, route);
    case "expired":
      return liveDecision("key-expired", table.taps, route);
    case "invalid":
      return liveDecision("key-invalid", table.taps, route);
  }
}

function isHealthCheck(request: RoutableRequest, options: DecideOptions): boolean {
  if ((options.healthPaths ?? defaultHealthPaths).includes(request.path)) return true;
  const agent = request.header("user-agent");
  if (agent === undefined) return false;
  return (options.healthAgents ?? defaultHealthAgents).some((beginning) => agent.startsWith(beginning));
}
