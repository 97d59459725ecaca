import { styleText } from "node:util";
import type { ServiceInfo } from "@clew/control";
import type { Condition } from "@clew/routing";
import { type CliContext, print } from "../cli-context.ts";
import { type RuleGrant, ruleClaim } from "../developer/claim.ts";
import { type Held, hold } from "../developer/hold.ts";
import type { ManagerAccess } from "../developer/manager-access.ts";
import { CliError } from "../errors.ts";
import { layOut } from "../output/table.ts";
import { environmentRows } from "./environment-rows.ts";
import { type InterceptFlags, wantsPreview } from "./intercept-flags.ts";

/** Whether the port that is meant (the named one, or the only one) speaks raw TCP. What does not exist is for the manager to say. */
export function isTcpPort({ ports }: ServiceInfo, name: string | undefined): boolean {
  const [only, ...others] = Object.values(ports);
  const port = name === undefined ? (others.length === 0 ? only : undefined) : ports[name];
  return port?.protocol === "tcp";
}

interface Wanted {
  readonly flags: InterceptFlags;
  readonly described: ServiceInfo;
  readonly owner: string;
  readonly command: readonly string[];
}

/** An intercept where no routing key travels: whole connections, by the client's address or all. */
export async function interceptConnections(
  cli: CliContext,
  access: ManagerAccess,
  { flags, described, owner, command }: Wanted,
): Promise<void> {
  if (flags.route !== undefined || wantsPreview(flags)) {
    throw new CliError(
      "E_USAGE",
      `--${flags.route === undefined ? "preview" : "route"} needs a routing key, and none travels on raw TCP, which ${described.name} speaks`,
      { hint: "Choose connections by the client's address: --client 10.0.0.0/8" },
    );
  }
  const service = described.name;
  const { client } = flags;
  const conditions: Condition[] = client === undefined ? [] : [{ on: "client", prefix: client }];
  const request = {
    service,
    ...(flags.servicePort === undefined ? {} : { port: flags.servicePort }),
    target: { kind: "tunnel", port: flags.port },
    onFailure: flags.onFailure,
    conditions,
  } as const;
  await hold(cli, access, {
    claim: ruleClaim(access.client, request, flags.takeover),
    owner,
    described,
    command,
    envFile: flags.envFile,
    words: { name: "intercept", meanwhile: "the live service answers" },
    onReady: (held) => announce(cli, held, { service, port: flags.port, client }),
  });
}

function announce(
  cli: CliContext,
  { session, env }: Held<RuleGrant>,
  { service, port, client }: { service: string; port: number; client: string | undefined },
): void {
  const { rule, override } = session.grant;
  const whose = client === undefined ? "of every client" : `from ${client}`;
  const rows = [
    ["connections", whose],
    ["", "new ones; those that stand stay with the live service"],
    ["routing key", "none: on raw TCP nothing travels that could carry one"],
    ...environmentRows(env),
  ];
  const title = `${styleText("bold", service)} → port ${port} on this machine (port ${rule.port}, owner ${override.owner})`;
  const foot = "Ctrl-C ends the intercept, and cuts the connections that it has.";
  print(
    cli,
    { event: "intercept", service, port, client, rule, override, env },
    `\n${title}\n\n${layOut(rows)}\n\n${foot}\n`,
  );
}
