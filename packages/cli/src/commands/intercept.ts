import { writeFileSync } from "node:fs";
import { styleText } from "node:util";
import type { PreviewGrant, PreviewRequest, RoutingKeyGrant, ServiceInfo } from "@clew/control";
import type { TunnelState } from "@clew/tunnel";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { readUpState } from "../config/up-state.ts";
import { type LocalServices, openLocalServices } from "../developer/local-services.ts";
import { type ManagerAccess, withManager } from "../developer/manager-access.ts";
import { defaultRoute, machineName, ownerName } from "../developer/owner.ts";
import { describeKeyLifetime, keepRoutingKey } from "../developer/routing-key.ts";
import { type DeveloperSession, openSession } from "../developer/session.ts";
import { CliError, exitCodes } from "../errors.ts";
import { describeDuration, layOut } from "../output/table.ts";
import { checkPortFree, waitForListener } from "../parts/addresses.ts";
import { shutdownSignal } from "../parts/run-until-signal.ts";
import { type Child, describeEnding, type Ending, startChild } from "../processes/child.ts";
import { startGuard } from "../processes/guard.ts";
import { serviceEnvironment } from "../processes/service-environment.ts";
import { type AccessKind, readAccess } from "./preview/settings.ts";
import { describeAccess, shownUrl, visitUrl } from "./preview/visit-url.ts";

export interface InterceptFlags extends ManagerFlags {
  readonly port: number;
  readonly servicePort?: string;
  readonly route?: string;
  readonly owner?: string;
  readonly preview: boolean;
  readonly previewName?: string;
  readonly previewAccess?: AccessKind;
  readonly previewPasswordFile?: string;
  readonly takeover: boolean;
  readonly onFailure: "live" | "error";
  readonly envFile?: string;
}

/** How long requests that run may take to finish once the intercept ends. */
const drainGraceMs = 5_000;
/** How long the wrapped command may take to end by itself. */
const commandGraceMs = 5_000;
/** A tunnel stands within milliseconds, or something is in its way that a person should know of. */
const connectWaitMs = 5_000;
/** The command is waited for this long before the intercept is announced all the same. */
const listenWaitMs = 30_000;

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
  const owner = ownerName(flags.owner, cli.env);
  const route = flags.route ?? defaultRoute(owner);
  if (command.length > 0) await checkPortFree(flags.port, "your command");
  const previewAccess = await readAccess(cli, {
    ...(flags.previewAccess === undefined ? {} : { access: flags.previewAccess }),
    ...(flags.previewPasswordFile === undefined ? {} : { passwordFile: flags.previewPasswordFile }),
  });
  const described = await access.client.services.describe({ service });
  const asked = shutdownSignal(cli.process);
  const session = await openSession({
    client: access.client,
    managerUrl: access.url,
    owner,
    host: machineName(),
    override: {
      route,
      service,
      ...(flags.servicePort === undefined ? {} : { port: flags.servicePort }),
      target: { kind: "tunnel", port: flags.port },
      onFailure: flags.onFailure,
    },
    takeover: flags.takeover,
    onTunnelState: tellTunnelState(cli),
    onGrant: ({ key, keyExpiresAt }) => tellKey(cli, { key, expiresAt: keyExpiresAt }),
  });
  const over = new AbortController();
  const local = await openLocalServices(() => session.tunnel, described.env);
  const guard = startGuard();
  try {
    const added = developerEnvironment(cli, described, flags.port, local);
    if (flags.envFile !== undefined) writeEnvFile(flags.envFile, added);
    const preview = wantsPreview(flags)
      ? await makePreview(access, { route, owner, name: flags.previewName, access: previewAccess })
      : undefined;
    const child = startCommand(cli, command, added, guard);
    if (!(await session.connected(connectWaitMs))) {
      say(cli, "tunnel.late", "the tunnel does not stand yet; until it does the live service answers");
    }
    await waitUntilListening(cli, flags.port, child);
    announce(cli, { session, preview, service, port: flags.port, env: child ? undefined : added });
    keepRoutingKey({
      client: access.client,
      route,
      expiresAt: session.grant.keyExpiresAt,
      signal: over.signal,
      onKey: (grant) => tellKey(cli, grant),
    });
    await untilOver(cli, { asked, session, child });
  } finally {
    over.abort();
    await session.close(drainGraceMs);
    local.close();
    guard.close();
  }
}

function developerEnvironment(
  cli: CliContext,
  { name, env }: ServiceInfo,
  port: number,
  local: LocalServices,
): Record<string, string> {
  return serviceEnvironment(
    { service: name, host: "127.0.0.1", port, declared: env, propagate: true, addressOf: local.addressOf },
    cli.env,
  );
}

/** `NAME=value` lines, as `docker run --env-file` and `node --env-file` read them. */
function writeEnvFile(file: string, env: Readonly<Record<string, string>>): void {
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(""), { mode: 0o600 });
}

/** Whoever says how the preview should be wants one. */
function wantsPreview({ preview, previewName, previewAccess, previewPasswordFile }: InterceptFlags): boolean {
  return preview || [previewName, previewAccess, previewPasswordFile].some((flag) => flag !== undefined);
}

async function makePreview(
  { client }: ManagerAccess,
  request: Pick<PreviewRequest, "route" | "owner" | "name" | "access">,
): Promise<PreviewGrant> {
  return (await client.previews.create(request)).preview;
}

function startCommand(
  cli: CliContext,
  command: readonly string[],
  added: Readonly<Record<string, string>>,
  guard: ReturnType<typeof startGuard>,
): Child | undefined {
  const [program, ...args] = command;
  if (program === undefined) return undefined;
  return startChild({ command: [program, ...args], cwd: cli.cwd, env: { ...cli.env, ...added }, guard });
}

async function waitUntilListening(cli: CliContext, port: number, child: Child | undefined): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), child ? listenWaitMs : 0);
  void child?.ended.then(() => limit.abort());
  const listening = await waitForListener({ host: "localhost", port }, limit.signal);
  clearTimeout(timer);
  if (listening || cli.json) return;
  cli.process.stderr.write(
    `clew: nothing listens on port ${port} yet; until then the live service answers\n`,
  );
}

interface Announcement {
  readonly session: DeveloperSession;
  readonly preview: PreviewGrant | undefined;
  readonly service: string;
  readonly port: number;
  /** Shown when no command was given that gets it. */
  readonly env: Readonly<Record<string, string>> | undefined;
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
  if (env)
    rows.push(
      ...Object.entries(env).map(([name, setting], index) => [
        index === 0 ? "environment" : "",
        `${name}=${setting}`,
      ]),
    );
  const title = `${styleText("bold", service)} → port ${port} on this machine (route ${override.route}, owner ${override.owner})`;
  const foot = "Requests without the key go to the live service. Ctrl-C ends the intercept.";
  print(cli, value, `\n${title}\n\n${layOut(rows)}\n\n${foot}\n`);
}

/** Waits for the first of: a signal, the command's end, the override's loss. */
async function untilOver(
  cli: CliContext,
  {
    asked,
    session,
    child,
  }: { asked: Promise<NodeJS.Signals>; session: DeveloperSession; child: Child | undefined },
): Promise<void> {
  type Over = { by: "signal" } | { by: "command"; ending: Ending } | { by: "loss"; reason: string };
  const ends: Array<Promise<Over>> = [
    asked.then(() => ({ by: "signal" })),
    session.lost.then((reason) => ({ by: "loss", reason })),
  ];
  if (child) ends.push(child.ended.then((ending) => ({ by: "command", ending })));
  const over = await Promise.race(ends);
  if (over.by === "command") return endWith(cli, over.ending);
  await session.close(drainGraceMs);
  await child?.stop(commandGraceMs);
  if (over.by === "loss") {
    throw new CliError("E_INTERCEPT_ENDED", `the intercept has ended: ${over.reason}`, {
      hint: "Its requests go to the live service. Run the command again to make a new one.",
    });
  }
  if (!cli.json)
    cli.process.stderr.write("clew: the intercept has ended; its requests go to the live service\n");
}

function endWith(cli: CliContext, ending: Ending): void {
  if (ending.kind === "error") {
    throw new CliError("E_COMMAND_FAILED", `the command ${describeEnding(ending)}`, { cause: ending.error });
  }
  cli.exitCode = ending.kind === "exit" ? ending.code : exitCodes.failed;
  if (!cli.json) {
    cli.process.stderr.write(`clew: the command ${describeEnding(ending)}, and the intercept with it\n`);
  }
}

/** Tells a person when the tunnel breaks and when it is back; silent while all is well. */
function tellTunnelState(cli: CliContext): (state: TunnelState) => void {
  let away = false;
  return (state) => {
    if (state.phase === "waiting" && !away) {
      away = true;
      say(
        cli,
        "tunnel.away",
        `the tunnel broke (${state.reason}); reconnecting, the live service answers meanwhile`,
      );
    } else if (state.phase === "connected" && away) {
      away = false;
      say(cli, "tunnel.back", "the tunnel is back");
    }
  };
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

function say(cli: CliContext, event: string, text: string): void {
  cli.process.stderr.write(cli.json ? `${JSON.stringify({ event, text })}\n` : `clew: ${text}\n`);
}
