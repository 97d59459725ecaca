import type { Server } from "node:net";
import type { Logger } from "pino";
import type { CliContext } from "../cli-context.ts";
import { type Config, formatEndpoint } from "../config/config.ts";
import { exitCodes } from "../errors.ts";
import { createVoice, prefix } from "../output/log.ts";
import { collectStartUpGarbage, suitToRequests } from "../processes/heap.ts";
import { type InheritedListeners, systemdListeners } from "../processes/inherited.ts";
import { findPredecessor, startSuccessor } from "../processes/take-over.ts";
import { findWorkerSelf } from "../processes/worker-self.ts";
import type { Admin, AdminOptions } from "./admin.ts";
import { type Drain, relievedDrain, stopDrain } from "./drain.ts";
import type { Selection } from "./selection.ts";
import { type Parts, startParts } from "./start-parts.ts";

export interface RunOptions {
  readonly config: Config;
  readonly selection: Selection;
  readonly verbose: boolean;
  /**
   * Agents or the gateway, and nothing else. SIGUSR2 starts the command anew, and this process makes way for it, as others
   * connect to it all the time; and it keeps its heap small.
   */
  readonly isDataPlane: boolean;
  /** Called when everything runs; what it returns is called when the end begins. */
  onReady(parts: Parts): (() => void) | undefined;
}

/** Until then a new process must serve, or the old one goes on. */
const successorLimitMs = 30_000;

/**
 * Starts parts, and ends them cleanly at the first SIGINT, SIGTERM or SIGHUP; a second one ends at once. Without a terminal
 * SIGHUP is no hang-up: where a part has files that may change, it takes them up instead.
 */
export async function runUntilSignal(cli: CliContext, options: RunOptions): Promise<void> {
  const { stdout, stderr } = cli.process;
  const { say, log } = createVoice(cli, options.verbose);
  let reload: (() => void) | undefined;
  const ended = shutdownSignal(cli.process, () => reload);
  const worker = findWorkerSelf(cli.process);
  const predecessor = findPredecessor(cli.process);
  const inherited = predecessor?.take ?? inheritedFromSystemd(cli, options);
  const parts = await startParts({
    config: options.config,
    selection: options.selection,
    env: cli.env,
    log,
    inherited,
    isRelieving: predecessor !== undefined || worker?.isRelieving === true,
    worker,
    onServiceLine: (service, line) =>
      stdout.write(cli.json ? serviceLine(service, line) : `${prefix(service)}${line}\n`),
    onProgress: (text) => say(`  ${text}`),
  });
  if (parts.reload !== undefined && !cli.process.stdin.isTTY) reload = told(parts.reload, stderr);
  let isReady = true;
  const admin =
    worker === undefined
      ? await startAdminOf(options.config, inherited, { collect: parts.metrics, isReady: () => isReady })
      : undefined;
  await collectStartUpGarbage();
  if (options.isDataPlane) suitToRequests();
  // Before anybody is told that it serves, and may send the signal.
  const relieved =
    options.isDataPlane && worker === undefined
      ? restartSignal(cli, { servers: serversOf(options.config, parts, admin), log })
      : never;
  const onEnd = worker === undefined ? options.onReady(parts) : undefined;
  predecessor?.ready();
  worker?.serve(parts.metrics);
  const asked = worker?.drained.then((drain) => ({ name: "drain", drain })) ?? never;
  const end = await Promise.race([ended.then((name) => ({ name, drain: stopDrain })), relieved, asked]);
  if (end.drain === stopDrain)
    say(`\n${end.name}: stopping, requests that run may finish (again to stop at once)`);
  else say(`\n${end.name}: another process serves; requests that run may finish`);
  isReady = false;
  onEnd?.();
  // Whoever took over answers for itself.
  if (end.drain === relievedDrain) await admin?.close();
  await parts.stop(end.drain);
  await admin?.close();
  worker?.leave();
  say("stopped");
}

/** What cannot be taken up is said, and what was there stays. */
function told(reload: () => void, stderr: NodeJS.WritableStream): () => void {
  return () => {
    try {
      reload();
    } catch (error) {
      stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    }
  };
}

async function startAdminOf(
  { metrics }: Config,
  inherited: InheritedListeners | undefined,
  about: Pick<AdminOptions, "collect" | "isReady">,
): Promise<Admin | undefined> {
  if (metrics === undefined) return undefined;
  const { startAdmin } = await import("./admin.ts");
  const ask = inherited && (() => inherited(formatEndpoint(metrics)));
  return startAdmin({ listen: { ...metrics, inherited: ask }, ...about });
}

function serversOf({ metrics }: Config, parts: Parts, admin: Admin | undefined): ReadonlyMap<string, Server> {
  const servers = new Map(parts.servers);
  if (metrics !== undefined && admin !== undefined) servers.set(formatEndpoint(metrics), admin.server);
  return servers;
}

const never: Promise<never> = new Promise(() => {});

/** Resolves once a successor that SIGUSR2 asked for serves. One that does not come to serve is reported, and nothing changes. */
function restartSignal(
  cli: CliContext,
  { servers, log }: { readonly servers: ReadonlyMap<string, Server>; readonly log: Logger },
): Promise<{ readonly name: string; readonly drain: Drain }> {
  return new Promise((resolve) => {
    let isUnderWay = false;
    cli.process.on("SIGUSR2", () => {
      if (isUnderWay) return;
      isUnderWay = true;
      const { argv, execArgv } = cli.process;
      startSuccessor({ argv, execArgv, env: cli.env, servers, readyLimitMs: successorLimitMs }).then(
        () => resolve({ name: "SIGUSR2", drain: relievedDrain }),
        (err: unknown) => {
          isUnderWay = false;
          log.error({ event: "restart.failed", err }, "The restart failed; this process goes on.");
        },
      );
    });
  });
}

function inheritedFromSystemd(
  cli: CliContext,
  { config, selection }: RunOptions,
): InheritedListeners | undefined {
  const addresses = config.services
    .filter(({ name }) => selection.agents.has(name))
    .flatMap(({ name, ports }) =>
      Object.entries(ports).map(([port, { listen }]) => ({
        name: `${name}.${port}`,
        address: formatEndpoint(listen),
      })),
    );
  if (selection.gateway && config.gateway) {
    addresses.push({ name: "gateway", address: formatEndpoint(config.gateway.listen) });
  }
  return systemdListeners(cli.process.env, cli.process.pid, addresses);
}

function serviceLine(service: string, line: string): string {
  return `${JSON.stringify({ event: "service.output", service, line })}\n`;
}

/** Resolves with the first signal that asks the process to end; the next one exits without waiting. */
export function shutdownSignal(
  target: NodeJS.Process,
  reload: () => (() => void) | undefined = () => undefined,
): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      target.on(signal, () => {
        const instead = signal === "SIGHUP" ? reload() : undefined;
        if (instead !== undefined) return instead();
        if (asked) target.exit(exitCodes.interrupted);
        asked = true;
        resolve(signal);
      });
    }
  });
}
