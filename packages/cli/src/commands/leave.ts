import type { ManagerClient } from "@clew/control";
import type { Override, Rule } from "@clew/routing";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { ownerName } from "../developer/owner.ts";
import { CliError } from "../errors.ts";
import { describeConditions } from "./conditions.ts";

interface LeaveFlags extends ManagerFlags {
  readonly route?: string;
  readonly owner?: string;
}

/** Takes one's own override of a service away; on a port of raw TCP that is a rule. */
export function leave(this: CliContext, flags: LeaveFlags, service: string): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    await client.services.describe({ service });
    const owner = ownerName(flags.owner, this.env);
    const rules = flags.route === undefined ? await leaveRules(client, service, owner) : [];
    const { overrides } = await client.overrides.list({ service });
    const hasOther = rules.length > 0 && !overrides.some((override) => override.owner === owner);
    const leaving = hasOther ? [] : ownOverrides(overrides, { service, owner, route: flags.route });
    for (const { id } of leaving) await client.overrides.delete({ id });
    const left = [
      ...leaving.map(({ route }) => `Left ${service} (route ${route}): its requests go to the live service.`),
      ...rules.map(
        (rule) => `Left ${service} (${describeConditions(rule)}): its traffic goes to the live service.`,
      ),
    ];
    print(this, { left: leaving, rules }, left.join("\n"));
  });
}

async function leaveRules(client: ManagerClient, service: string, owner: string): Promise<readonly Rule[]> {
  const { rules } = await client.rules.list({ service });
  const own = rules.filter((rule) => rule.owner === owner);
  for (const { id } of own) await client.rules.delete({ id });
  return own;
}

/** Those that the caller may leave; throws E_OVERRIDE_UNKNOWN when there are none, and names whose the others are. */
export function ownOverrides(
  overrides: readonly Override[],
  { service, owner, route }: { service: string; owner: string; route: string | undefined },
): Override[] {
  const asked = overrides.filter((override) => route === undefined || override.route === route);
  const own = asked.filter((override) => override.owner === owner);
  if (own.length > 0) return own;
  const others = asked.map((override) => `route ${override.route} of ${override.owner}`);
  const which = route === undefined ? "" : ` on route ${route}`;
  throw new CliError("E_OVERRIDE_UNKNOWN", `${owner} has no override of ${service}${which}`, {
    hint:
      others.length === 0
        ? `Nobody has: all requests of ${service} go to the live service.`
        : `There is: ${others.join(", ")}. To leave somebody else's, say whose: --owner NAME`,
  });
}
