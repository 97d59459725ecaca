import { resolve } from "node:path";
import { styleText } from "node:util";
import type { CliContext, OutputFlags } from "../cli-context.ts";
import { type Config, formatEndpoint } from "../config/config.ts";
import { configFileName, findConfigFile } from "../config/find-manager.ts";
import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
import { removeUpState, writeUpState } from "../config/up-state.ts";
import { commandName } from "../output/command-name.ts";
import { layOut } from "../output/table.ts";
import { runUntilSignal } from "../parts/run-until-signal.ts";
import {
  agentsOnly,
  everythingExcept,
  gatewayOnly,
  managerOnly,
  type PartName,
  type Selection,
} from "../parts/selection.ts";
import { findWorkerSelf } from "../processes/worker-self.ts";

interface PartFlags extends OutputFlags {
  readonly config?: string;
  readonly printConfig: boolean;
  readonly verbose: boolean;
}

export function up(
  this: CliContext,
  flags: PartFlags & { readonly except?: readonly PartName[] },
): Promise<void> {
  return runParts(this, flags, (config) => everythingExcept(config, flags.except ?? []));
}

export function manager(this: CliContext, flags: PartFlags): Promise<void> {
  return runParts(this, flags, () => managerOnly);
}

export function gateway(this: CliContext, flags: PartFlags): Promise<void> {
  return runParts(this, flags, gatewayOnly, { isDataPlane: true });
}

export function agent(
  this: CliContext,
  flags: PartFlags & { readonly workers?: number },
  ...services: string[]
): Promise<void> {
  const select = (config: Config): Selection => agentsOnly(config, services);
  if (flags.workers === undefined || findWorkerSelf(this.process) !== undefined) {
    return runParts(this, flags, select, { isDataPlane: true });
  }
  return runAgentWorkers(this, { ...flags, workers: flags.workers }, select);
}

/** The agents in several processes, which this one starts, replaces and ends. */
async function runAgentWorkers(
  cli: CliContext,
  flags: PartFlags & { readonly workers: number },
  select: (config: Config) => Selection,
): Promise<void> {
  const loaded = loadConfig(configFile(cli, flags.config), cli.env);
  if (flags.printConfig) return printConfig(cli, loaded);
  const selection = select(loaded.config);
  const { runWorkersUntilSignal } = await import("../parts/run-workers.ts");
  await runWorkersUntilSignal(cli, {
    config: loaded.config,
    selection,
    count: flags.workers,
    verbose: flags.verbose,
    onReady: () => announce(cli, loaded.config, selection, []),
  });
}

async function runParts(
  cli: CliContext,
  flags: PartFlags,
  select: (config: Config) => Selection,
  { isDataPlane }: { readonly isDataPlane: boolean } = { isDataPlane: false },
): Promise<void> {
  const loaded = loadConfig(configFile(cli, flags.config), cli.env);
  if (flags.printConfig) return printConfig(cli, loaded);
  const { config } = loaded;
  const selection = select(config);
  const { pid } = cli.process;
  await runUntilSignal(cli, {
    config,
    selection,
    verbose: flags.verbose,
    isDataPlane,
    onReady: ({ late }) => {
      const managerUrl = `http://${config.manager.advertise}`;
      if (selection.manager || selection.gateway) {
        writeUpState(cli.env, {
          pid,
          manager: managerUrl,
          gateway: gatewayUrl(config),
          tokenFile: config.manager.tokenFile,
        });
      }
      announce(cli, config, selection, late);
      return () => removeUpState(cli.env, pid);
    },
  });
}

function configFile(cli: CliContext, flag: string | undefined): string {
  return flag === undefined
    ? (findConfigFile(cli.cwd) ?? resolve(cli.cwd, configFileName))
    : resolve(cli.cwd, flag);
}

function printConfig(cli: CliContext, { values }: LoadedConfig): void {
  const text = cli.json
    ? JSON.stringify(values)
    : layOut(
        values.map(({ path, value, source }) => [path, JSON.stringify(value), source]),
        "",
      );
  cli.process.stdout.write(`${text}\n`);
}

function gatewayUrl({ gateway }: Config): string | undefined {
  return gateway && `${gateway.tls ? "https" : "http"}://${formatEndpoint(gateway.listen)}/`;
}

function announce(cli: CliContext, config: Config, selection: Selection, late: readonly string[]): void {
  const url = selection.gateway ? gatewayUrl(config) : undefined;
  const managerUrl = `http://${config.manager.advertise}`;
  if (cli.json) {
    const services = config.services.map(({ name, ports }) => ({ name, ports }));
    const up = {
      event: "up",
      pid: cli.process.pid,
      environment: config.environment,
      gateway: url,
      manager: managerUrl,
      metrics: config.metrics && `http://${formatEndpoint(config.metrics)}/metrics`,
      services,
      late,
    };
    cli.process.stdout.write(`${JSON.stringify(up)}\n`);
    return;
  }
  const bold = (text: string): string => styleText("bold", text);
  const lines = [
    `\n${bold("Clew is up")}: environment ${config.environment}\n`,
    layOut(partRows(config, selection, late)),
  ];
  if (url !== undefined) lines.push(`\n${bold("Open")}  ${url}`);
  if (selection.services.size > 0)
    lines.push(`\n${bold("Try next")}, in a second terminal:`, nextCommands(cli, config));
  lines.push("\nCtrl-C ends everything.\n");
  cli.process.stdout.write(`${lines.join("\n")}\n`);
}

function partRows(config: Config, selection: Selection, late: readonly string[]): string[][] {
  const rows: string[][] = [];
  if (selection.manager) rows.push(["manager", formatEndpoint(config.manager.listen), "", ""]);
  if (selection.gateway && config.gateway) {
    rows.push(["gateway", formatEndpoint(config.gateway.listen), `→ agent of ${config.gateway.ingress}`, ""]);
  }
  if (config.metrics) rows.push(["metrics", formatEndpoint(config.metrics), "/metrics /healthz /readyz", ""]);
  for (const { name, ports } of config.services) {
    if (!selection.agents.has(name) && !selection.services.has(name)) continue;
    for (const { listen, upstream } of Object.values(ports)) {
      const state = late.includes(name) ? styleText("yellow", "does not listen yet") : "running";
      rows.push([
        name,
        formatEndpoint(listen),
        `→ ${formatEndpoint(upstream)}`,
        selection.services.has(name) ? state : "",
      ]);
    }
  }
  return rows;
}

function nextCommands(cli: CliContext, config: Config): string {
  const clew = commandName(cli.env);
  const [service] = config.services;
  const commands = config.welcome ?? [
    "clew list",
    `clew intercept ${service?.name ?? "SERVICE"} --port 4000 --preview -- ${service?.run ?? "COMMAND"}`,
    `clew explain ${gatewayUrl(config) ?? "URL"}`,
  ];
  return commands.map((command) => `  ${command.replace(/^clew\b/, clew)}`).join("\n");
}
