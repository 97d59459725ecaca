import { writeFileSync } from "node:fs";
import type { ServiceInfo } from "@clew/control";
import type { Override } from "@clew/routing";
import type { TunnelState } from "@clew/tunnel";
import type { CliContext } from "../cli-context.ts";
import { CliError, exitCodes } from "../errors.ts";
import { checkPortFree, waitForListener } from "../parts/addresses.ts";
import { shutdownSignal } from "../parts/run-until-signal.ts";
import { type Child, describeEnding, type Ending, startChild } from "../processes/child.ts";
import { type Guard, startGuard } from "../processes/guard.ts";
import { serviceEnvironment } from "../processes/service-environment.ts";
import type { Claim } from "./claim.ts";
import { type LocalServices, openLocalServices } from "./local-services.ts";
import type { ManagerAccess } from "./manager-access.ts";
import { machineName } from "./owner.ts";
import { type DeveloperSession, openSession } from "./session.ts";

/** How long requests that run may take to finish once it ends. */
const drainGraceMs = 5_000;
/** How long the wrapped command may take to end by itself. */
const commandGraceMs = 5_000;
/** A tunnel stands within milliseconds, or something is in its way that a person should know of. */
const connectWaitMs = 5_000;
/** The command is waited for this long before everything is announced all the same. */
const listenWaitMs = 30_000;

export interface HoldOptions<Grant extends { readonly override: Override }> {
  readonly claim: Claim<Grant>;
  readonly owner: string;
  readonly described: ServiceInfo;
  /** What runs meanwhile, as the service would; none: the developer sees to it. */
  readonly command: readonly string[];
  readonly envFile: string | undefined;
  /** What is held, and where its traffic goes when this machine is away, in words. */
  readonly words: { readonly name: "intercept" | "wiretap"; readonly meanwhile: string };
  /** Everything that can be refused before the command starts. */
  beforeStart?(): Promise<void>;
  /** Everything stands. `env` is what a command given by hand needs; `signal` ends with the hold. */
  onReady(held: Held<Grant>): void;
  /** The manager had forgotten it, and it was made again. */
  onAgain?(grant: Grant): void;
}

export interface Held<Grant> {
  readonly session: DeveloperSession<Grant>;
  readonly env: Readonly<Record<string, string>> | undefined;
  readonly signal: AbortSignal;
}

/** Holds a claim until a signal, the command's end or the claim's loss, with a command that runs meanwhile in the service's place. */
export async function hold<Grant extends { readonly override: Override }>(
  cli: CliContext,
  access: ManagerAccess,
  options: HoldOptions<Grant>,
): Promise<void> {
  const { claim, owner, described, command, envFile, words } = options;
  if (command.length > 0) await checkPortFree(claim.port, "your command");
  const asked = shutdownSignal(cli.process);
  const session = await openSession({
    client: access.client,
    managerUrl: access.url,
    owner,
    host: machineName(),
    claim,
    onTunnelState: tellTunnelState(cli, words.meanwhile),
    onGrant: (grant) => options.onAgain?.(grant),
  });
  const over = new AbortController();
  const local = await openLocalServices(() => session.tunnel, described.env);
  const guard = startGuard();
  try {
    const added = developerEnvironment(cli, described, claim.port, local);
    if (envFile !== undefined) writeEnvFile(envFile, added);
    await options.beforeStart?.();
    const child = startCommand(cli, command, added, guard);
    if (!(await session.connected(connectWaitMs))) {
      say(cli, "tunnel.late", `the tunnel does not stand yet; until it does ${words.meanwhile}`);
    }
    await waitUntilListening(cli, claim.port, child, words.meanwhile);
    options.onReady({ session, env: child ? undefined : added, signal: over.signal });
    await untilOver(cli, { asked, session, child, words });
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

function startCommand(
  cli: CliContext,
  command: readonly string[],
  added: Readonly<Record<string, string>>,
  guard: Guard,
): Child | undefined {
  const [program, ...args] = command;
  if (program === undefined) return undefined;
  return startChild({ command: [program, ...args], cwd: cli.cwd, env: { ...cli.env, ...added }, guard });
}

async function waitUntilListening(
  cli: CliContext,
  port: number,
  child: Child | undefined,
  meanwhile: string,
): Promise<void> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), child ? listenWaitMs : 0);
  void child?.ended.then(() => limit.abort());
  const listening = await waitForListener({ host: "localhost", port }, limit.signal);
  clearTimeout(timer);
  if (listening || cli.json) return;
  cli.process.stderr.write(`clew: nothing listens on port ${port} yet; until then ${meanwhile}\n`);
}

type Over =
  | { readonly by: "signal" }
  | { readonly by: "command"; readonly ending: Ending }
  | { readonly by: "loss"; readonly reason: string };

interface Running {
  readonly asked: Promise<NodeJS.Signals>;
  readonly session: Pick<DeveloperSession<unknown>, "lost" | "close">;
  readonly child: Child | undefined;
  readonly words: HoldOptions<never>["words"];
}

/** Waits for the first of: a signal, the command's end, the claim's loss. */
async function untilOver(cli: CliContext, { asked, session, child, words }: Running): Promise<void> {
  const ends: Array<Promise<Over>> = [
    asked.then(() => ({ by: "signal" })),
    session.lost.then((reason) => ({ by: "loss", reason })),
  ];
  if (child) ends.push(child.ended.then((ending) => ({ by: "command", ending })));
  const over = await Promise.race(ends);
  if (over.by === "command") return endWith(cli, over.ending, words.name);
  await session.close(drainGraceMs);
  await child?.stop(commandGraceMs);
  const after = words.name === "wiretap" ? "no more copies come" : "its requests go to the live service";
  if (over.by === "loss") {
    throw new CliError("E_INTERCEPT_ENDED", `the ${words.name} has ended: ${over.reason}`, {
      hint: `${after.replace(/^./, (letter) => letter.toUpperCase())}. Run the command again to make a new one.`,
    });
  }
  if (!cli.json) cli.process.stderr.write(`clew: the ${words.name} has ended; ${after}\n`);
}

function endWith(cli: CliContext, ending: Ending, name: string): void {
  if (ending.kind === "error") {
    throw new CliError("E_COMMAND_FAILED", `the command ${describeEnding(ending)}`, { cause: ending.error });
  }
  cli.exitCode = ending.kind === "exit" ? ending.code : exitCodes.failed;
  if (!cli.json) {
    cli.process.stderr.write(`clew: the command ${describeEnding(ending)}, and the ${name} with it\n`);
  }
}

/** Tells a person when the tunnel breaks and when it is back; silent while all is well. */
function tellTunnelState(cli: CliContext, meanwhile: string): (state: TunnelState) => void {
  let away = false;
  return (state) => {
    if (state.phase === "waiting" && !away) {
      away = true;
      say(cli, "tunnel.away", `the tunnel broke (${state.reason}); reconnecting, ${meanwhile} meanwhile`);
    } else if (state.phase === "connected" && away) {
      away = false;
      say(cli, "tunnel.back", "the tunnel is back");
    }
  };
}

/** One line about what happens meanwhile: news, not the command's output. */
export function say(cli: CliContext, event: string, text: string): void {
  cli.process.stderr.write(cli.json ? `${JSON.stringify({ event, text })}\n` : `clew: ${text}\n`);
}
