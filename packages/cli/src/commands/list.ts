import type { ServiceInfo, SessionInfo, WiretapInfo } from "@clew/control";
import { everyRoute, type Override, type Rule } from "@clew/routing";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { describeDuration, layOut } from "../output/table.ts";
import { describeConditions } from "./conditions.ts";

/** Services, and who has overridden what. */
export function list(this: CliContext, flags: ManagerFlags): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    const [{ services }, { overrides }, { rules }, { wiretaps }, { sessions }] = await Promise.all([
      client.services.list({}),
      client.overrides.list({}),
      client.rules.list({}),
      client.wiretaps.list({}),
      client.sessions.list({}),
    ]);
    const text =
      services.length === 0
        ? "No services yet: no agent has connected to this manager."
        : layOut(
            [
              ["SERVICE", "ADDRESS", "AGENTS", "OVERRIDES"],
              ...services.flatMap((service) => rowsOf(service, { overrides, rules, wiretaps, sessions })),
            ],
            "",
          );
    print(this, { services, overrides, rules, wiretaps, sessions }, text);
  });
}

interface Known {
  readonly overrides: readonly Override[];
  readonly rules: readonly Rule[];
  readonly wiretaps: readonly WiretapInfo[];
  readonly sessions: readonly SessionInfo[];
}

function rowsOf(
  { name, ports, agents }: ServiceInfo,
  { overrides, rules, wiretaps, sessions }: Known,
): string[][] {
  const own = [
    ...overrides
      .filter(({ service }) => service === name)
      .map((override) => describeOverride(override, sessions)),
    ...rules
      .filter(({ service }) => service === name)
      .map((rule) => describeOverride(rule.override, sessions, describeConditions(rule))),
    ...wiretaps
      .filter(({ wiretap }) => wiretap.service === name)
      .map((info) => describeWiretap(info, sessions)),
  ];
  const addresses = Object.values(ports).map(({ address }) => address);
  const first = [name, addresses.join(" "), String(agents)];
  if (own.length === 0) return [[...first, "live for all"]];
  return own.map((text, index) => [...(index === 0 ? first : ["", "", ""]), text]);
}

/** The address of a fork, or the developer's machine and port. */
export function describeTarget({ target, session }: Override, sessions: readonly SessionInfo[]): string {
  if (target.kind === "address") return target.url;
  return `${sessions.find(({ id }) => id === session)?.host ?? "a machine"}, port ${target.port}`;
}

function describeWiretap(
  { wiretap, copied, dropped }: WiretapInfo,
  sessions: readonly SessionInfo[],
): string {
  const what = wiretap.route === everyRoute ? "every request" : `route ${wiretap.route}`;
  const since = describeDuration(Date.now() - wiretap.createdAt);
  const counts = `${copied} copied, ${dropped} dropped`;
  return `a copy of ${what} ⇢ ${describeTarget(wiretap, sessions)} (${wiretap.owner}, for ${since}, ${counts})`;
}

/** `what` it takes: by default the requests of its route. */
function describeOverride(
  override: Override,
  sessions: readonly SessionInfo[],
  what: string = `route ${override.route}`,
): string {
  const session = sessions.find(({ id }) => id === override.session);
  const where = describeTarget(override, sessions);
  const state = session?.state === "away" ? ", away: the live service answers" : "";
  const since = describeDuration(Date.now() - override.createdAt);
  return `${what} → ${where} (${override.owner}, for ${since}${state})`;
}

/** The manager, and what is mine in it. */
export function status(this: CliContext, flags: ManagerFlags): Promise<void> {
  return withManager(this, flags.manager, async ({ client, url, source }) => {
    const [health, { services }, { overrides }, { sessions }, { previews }] = await Promise.all([
      client.health({}),
      client.services.list({}),
      client.overrides.list({}),
      client.sessions.list({}),
      client.previews.list({}),
    ]);
    const connected = sessions.filter(({ state }) => state === "connected").length;
    const rows = [
      ["manager", `${url} (from ${source})`],
      ["status", `${health.status}, for ${describeDuration(Date.now() - health.startedAt)}`],
      ["environment", health.environment],
      ["services", `${services.length}, ${services.filter(({ agents }) => agents > 0).length} with an agent`],
      ["sessions", `${sessions.length}, ${connected} connected`],
      ["overrides", String(overrides.length)],
      ...overrides.map((override) => ["", `${override.service}: ${describeOverride(override, sessions)}`]),
      ["previews", String(previews.length)],
    ];
    print(this, { manager: url, source, health, services, overrides, sessions, previews }, layOut(rows, ""));
  });
}
