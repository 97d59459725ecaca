import { styleText } from "node:util";
import type { CliContext } from "../cli-context.ts";
import type { Config } from "../config/config.ts";
import { exitCodes } from "../errors.ts";
import { createLogger, prefix } from "../output/log.ts";
import type { Selection } from "./selection.ts";
import { type Parts, startParts } from "./start-parts.ts";

export interface RunOptions {
  readonly config: Config;
  readonly selection: Selection;
  readonly verbose: boolean;
  /** Called when everything runs; what it returns is called when the end begins. */
  onReady(parts: Parts): (() => void) | undefined;
}

/** Starts parts, and ends them cleanly at the first SIGINT, SIGTERM or SIGHUP; a second one ends at once. */
export async function runUntilSignal(cli: CliContext, options: RunOptions): Promise<void> {
  const { stdout, stderr } = cli.process;
  const say = (text: string): void => {
    if (!cli.json) stderr.write(`${styleText("dim", text)}\n`);
  };
  const ended = shutdownSignal(cli.process);
  const parts = await startParts({
    config: options.config,
    selection: options.selection,
    env: cli.env,
    log: createLogger({
      json: cli.json,
      level: options.verbose ? "info" : "warn",
      write: (line) => stderr.write(line),
    }),
    onServiceLine: (service, line) =>
      stdout.write(cli.json ? serviceLine(service, line) : `${prefix(service)}${line}\n`),
    onProgress: (text) => say(`  ${text}`),
  });
  const onEnd = options.onReady(parts);
  const signal = await ended;
  say(`\n${signal}: stopping, requests that run may finish (again to stop at once)`);
  onEnd?.();
  await parts.stop();
  say("stopped");
}

function serviceLine(service: string, line: string): string {
  return `${JSON.stringify({ event: "service.output", service, line })}\n`;
}

/** Resolves with the first signal that asks the process to end; the next one exits without waiting. */
export function shutdownSignal(target: NodeJS.Process): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      target.on(signal, () => {
        if (asked) target.exit(exitCodes.interrupted);
        asked = true;
        resolve(signal);
      });
    }
  });
}
