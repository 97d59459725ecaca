import type { Override } from "@clew/routing";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { ownerName } from "../developer/owner.ts";
import { CliError } from "../errors.ts";

interface LeaveFlags extends ManagerFlags {
  readonly route?: string;
  readonly owner?: string;
}

/** Takes one's own override of a service away. */
export function leave(this: CliContext, flags: LeaveFlags, service: string): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    await client.services.describe({ service });
    const { overrides } = await client.overrides.list({ service });
    const owner = ownerName(flags.owner, this.env);
    const leaving = ownOverrides(overrides, { service, owner, route: flags.route });
    for (const { id } of leaving) await client.overrides.delete({ id });
    const left = leaving.map(
      ({ route }) => `Left ${service} (route ${route}): its requests go to the live service.`,
    );
    print(this, { left: leaving }, left.join("\n"));
  });
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
