import type { Conflict, Override, Rule } from "@clew/routing";
import type { Core } from "./core.ts";
import type { View } from "./directory-state.ts";
import { humanDuration } from "./human-duration.ts";
import { ManagerError } from "./manager-error.ts";

/** Allowed from one's own former session, and from somebody whose machine is away. */
export function mayTakeOver(view: View, owner: string, conflict: Conflict): boolean {
  return conflict.owner === owner || isIdle(view, conflict);
}

/** One's own, from a machine that is away: what a killed process left, which nobody can want back. */
export function isLeftBehind(view: View, owner: string, conflict: Conflict): boolean {
  return conflict.owner === owner && isIdle(view, conflict);
}

/** `E_ROUTE_TAKEN` or `E_RULE_CONFLICT`: whose it is, since when, whether it is in use, and the ways out. */
export function conflictError(
  { directory: { view }, clock }: Core,
  candidate: Override | Rule,
  conflict: Conflict,
  takeover: { readonly asked: boolean; readonly allowed: boolean },
): ManagerError {
  const { owner, override, rule } = conflict;
  const since = humanDuration(clock.now() - conflict.createdAt);
  const idle = isIdle(view, conflict);
  const where = `${candidate.service} (port ${candidate.port})`;
  const state = `${owner} has had it for ${since}, and is ${idle ? "away" : "connected"}`;
  const leave = `ask ${owner} to leave it`;
  const takeOver = takeoverWay(owner, takeover);
  const details = {
    override: override.id,
    ...(rule && { rule: rule.id }),
    owner,
    since: conflict.createdAt,
    idle,
  };
  if (conflict.kind === "same-route") {
    return new ManagerError("E_ROUTE_TAKEN", `Route ${override.route} of ${where} is taken: ${state}.`, {
      hint: `Choose another route name, ${leave}, or ${takeOver}.`,
      details,
    });
  }
  const isAboutClients = "conditions" in candidate && candidate.conditions.every(({ on }) => on === "client");
  const [what, change] = isAboutClients
    ? ["connections", "Ask for the connections of other clients, or of fewer, with --client"]
    : ["requests", "Give the rule another --priority or a further condition"];
  return new ManagerError(
    "E_RULE_CONFLICT",
    `Some ${what} to ${where} would match rule ${rule?.id} as well: ${state}.`,
    { hint: `${change}, ${leave}, or ${takeOver}.`, details },
  );
}

function takeoverWay(
  owner: string,
  { asked, allowed }: { readonly asked: boolean; readonly allowed: boolean },
): string {
  if (allowed) return "take it over with --takeover";
  const when = `which is allowed once ${owner} is away`;
  return asked ? `wait with --takeover, ${when}` : `take it over with --takeover, ${when}`;
}

/** An override without a session has no machine that could be away. */
function isIdle(view: View, { override: { session } }: Conflict): boolean {
  return session !== undefined && view.sessions.get(session)?.connected !== true;
}
