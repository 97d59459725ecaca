import type { RoutingKeyGrant } from "@clew/control";
import type { Core } from "./core.ts";
import { humanDuration } from "./human-duration.ts";
import { ManagerError } from "./manager-error.ts";
import { assertRouteName } from "./overrides.ts";

export interface RouteKeyRequest {
  readonly route: string;
  readonly expiresInMs?: number | undefined;
}

/** A key for a route, which need not have overrides yet. Throws `E_ROUTE_NAME`, `E_LIMIT`. */
export function issueRouteKey(
  { keys, clock, limits }: Core,
  { route, expiresInMs = limits.routingKeyDefaultMs }: RouteKeyRequest,
): RoutingKeyGrant {
  assertRouteName(route);
  const max = limits.routingKeyMaxMs;
  if (expiresInMs <= max) return keys.issue(route, clock.now() + expiresInMs);
  throw new ManagerError("E_LIMIT", `A routing key lives at most ${humanDuration(max)} (routingKeyMaxMs).`, {
    hint: "Ask for less now, and for another one later.",
    details: { limit: "routingKeyMaxMs", max },
  });
}
