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

/**
 * Starts parts, and ends them cleanly at the first SIGINT, SIGTERM or SIGHUP; a second one ends at once. Without a terminal
 * SIGHUP is no hang-up: where a part has files that may change, it takes them up instead.
 */
export async function runUntilSignal(cli: CliContext, options: RunOptions): Promise<void> {
  const { stdout, stderr } = cli.process;
  const say = (text: string): void => {
    if (!cli.json) stderr.write(`${styleText("dim", text)}\n`);
  };
  let reload: (() => void) | undefined;
  const ended = shutdownSignal(cli.process, () => reload);
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
  if (parts.reload !== undefined && !cli.process.stdin.isTTY) reload = told(parts.reload, stderr);
  const onEnd = options.onReady(parts);
  const signal = await ended;
  say(`\n${signal}: stopping, requests that run may finish (again to stop at once)`);
  onEnd?.();
  await parts.stop();
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
