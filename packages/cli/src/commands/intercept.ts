import { styleText } from "node:util";
import type { OverrideGrant, PreviewGrant, PreviewRequest, RoutingKeyGrant } from "@clew/control";
import { type CliContext, print } from "../cli-context.ts";
import { readUpState } from "../config/up-state.ts";
import { overrideClaim } from "../developer/claim.ts";
import { type Held, hold } from "../developer/hold.ts";
import { type ManagerAccess, withManager } from "../developer/manager-access.ts";
import { defaultRoute, ownerName } from "../developer/owner.ts";
import { describeKeyLifetime, keepRoutingKey } from "../developer/routing-key.ts";
import { CliError } from "../errors.ts";
import { describeDuration, layOut } from "../output/table.ts";
import { environmentRows } from "./environment-rows.ts";
import { interceptConnections, isTcpPort } from "./intercept-connections.ts";
import { type InterceptFlags, wantsPreview } from "./intercept-flags.ts";
import { readAccess } from "./preview/settings.ts";
import { describeAccess, shownUrl, visitUrl } from "./preview/visit-url.ts";

export function intercept(
  this: CliContext,
  flags: InterceptFlags,
  service: string,
  ...command: string[]
): Promise<void> {
  return withManager(this, flags.manager, (access) => runIntercept(this, access, flags, service, command));
}

async function runIntercept(
  cli: CliContext,
  access: ManagerAccess,
  flags: InterceptFlags,
  service: string,
  command: readonly string[],
): Promise<void> {
  const { client } = access;
  const owner = ownerName(flags.owner, cli.env);
  const described = await client.services.describe({ service });
  if (isTcpPort(described, flags.servicePort)) {
    return interceptConnections(cli, access, { flags, described, owner, command });
  }
  if (flags.client !== undefined) {
    throw new CliError(
      "E_USAGE",
      "--client is for ports of raw TCP; requests are chosen by their routing key",
    );
  }
  const route = flags.route ?? defaultRoute(owner);
  const previewAccess = await readAccess(cli, {
    ...(flags.previewAccess === undefined ? {} : { access: flags.previewAccess }),
    ...(flags.previewPasswordFile === undefined ? {} : { passwordFile: flags.previewPasswordFile }),
  });
  const request = {
    route,
    service,
    ...(flags.servicePort === undefined ? {} : { port: flags.servicePort }),
    target: { kind: "tunnel", port: flags.port },
    onFailure: flags.onFailure,
  } as const;
  let preview: PreviewGrant | undefined;
  await hold(cli, access, {
    claim: overrideClaim(client, request, flags.takeover),
    owner,
    described,
    command,
    envFile: flags.envFile,
    words: { name: "intercept", meanwhile: "the live service answers" },
    async beforeStart() {
      if (!wantsPreview(flags)) return;
      preview = await makePreview(access, { route, owner, name: flags.previewName, access: previewAccess });
    },
    onReady(held) {
      announce(cli, { ...held, preview, service, port: flags.port });
      keepRoutingKey({
        client,
        route,
        expiresAt: held.session.grant.keyExpiresAt,
        signal: held.signal,
        onKey: (grant) => tellKey(cli, grant),
      });
    },
    onAgain({ key, keyExpiresAt }) {
      if (keyExpiresAt !== undefined) tellKey(cli, { key, expiresAt: keyExpiresAt });
    },
  });
}

async function makePreview(
  { client }: ManagerAccess,
  request: Pick<PreviewRequest, "route" | "owner" | "name" | "access">,
): Promise<PreviewGrant> {
  return (await client.previews.create(request)).preview;
}

/** `env` is shown when no command was given that gets it. */
interface Announcement extends Held<OverrideGrant> {
  readonly preview: PreviewGrant | undefined;
  readonly service: string;
  readonly port: number;
}

function announce(cli: CliContext, { session, preview, service, port, env }: Announcement): void {
  const { key, keyExpiresAt, override } = session.grant;
  const gateway = readUpState(cli.env)?.gateway ?? "http://YOUR-GATEWAY/";
  const curl = `curl -H 'baggage: clew-route=${key}' ${gateway}`;
  const lifetime = describeKeyLifetime(keyExpiresAt);
  const value = {
    event: "intercept",
    service,
    port,
    route: override.route,
    key,
    keyExpiresAt,
    override,
    preview: preview && { ...preview, visitUrl: visitUrl(preview) },
    curl,
    env,
  };
  const rows = [
    ["routing key", `clew-route=${key}`],
    ...(lifetime === undefined ? [] : [["", lifetime]]),
    ["try", curl],
  ];
  if (preview) {
    rows.push(["preview", shownUrl(preview, visitUrl(preview))]);
    rows.push(["", `for ${describeDuration(preview.remainingMs)}, ${describeAccess(preview.access)}`]);
  }
  rows.push(...environmentRows(env));
  const title = `${styleText("bold", service)} → port ${port} on this machine (route ${override.route}, owner ${override.owner})`;
  const foot = "Requests without the key go to the live service. Ctrl-C ends the intercept.";
  print(cli, value, `\n${title}\n\n${layOut(rows)}\n\n${foot}\n`);
}

/** Tells of a key that takes the place of the one that was announced. */
function tellKey(cli: CliContext, { key, expiresAt }: RoutingKeyGrant): void {
  if (cli.json) {
    cli.process.stderr.write(`${JSON.stringify({ event: "key", key, keyExpiresAt: expiresAt })}\n`);
    return;
  }
  const lifetime = describeKeyLifetime(expiresAt);
  const forHowLong = lifetime === undefined ? "" : `, good ${lifetime}`;
  cli.process.stderr.write(`clew: a new routing key${forHowLong}: clew-route=${key}\n`);
}
