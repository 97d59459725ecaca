import { randomBytes } from "node:crypto";
import type { CliContext } from "../cli-context.ts";
import type { Config } from "../config/config.ts";
import { createVoice } from "../output/log.ts";
import { suitToRequests } from "../processes/heap.ts";
import { shareSystemdListeners } from "../processes/inherited.ts";
import { startWorkers } from "../processes/workers.ts";
import { checkAddresses } from "./addresses.ts";
import { relievedDrain, stopDrain } from "./drain.ts";
import { shutdownSignal } from "./run-until-signal.ts";
import type { Selection } from "./selection.ts";

export interface RunWorkersOptions {
  readonly config: Config;
  readonly selection: Selection;
  readonly count: number;
  readonly verbose: boolean;
  onReady(): void;
}

/** Runs the command in workers until a signal ends them; SIGUSR2 replaces them one by one. */
export async function runWorkersUntilSignal(cli: CliContext, options: RunWorkersOptions): Promise<void> {
  const { say, log } = createVoice(cli, options.verbose);
  const ended = shutdownSignal(cli.process);
  const { env, pid, argv } = cli.process;
  if (!shareSystemdListeners(env, pid)) await checkAddresses(options.config, options.selection);
  const seed = randomBytes(4).toString("hex");
  const workers = await startWorkers({ count: options.count, argv, seed, log });
  let rolling = Promise.resolve();
  cli.process.on("SIGUSR2", () => {
    rolling = rolling
      .then(() => workers.roll(relievedDrain))
      .then(
        () => say("SIGUSR2: every worker was replaced"),
        (err: unknown) =>
          log.error({ event: "restart.failed", err }, "A worker could not be replaced; the old ones go on."),
      );
  });
  let isReady = true;
  const { metrics } = options.config;
  const admin =
    metrics &&
    (await (
      await import("./admin.ts")
    ).startAdmin({
      listen: metrics,
      collect: () => workers.metrics(),
      isReady: () => isReady,
    }));
  // It hands every connection to a worker.
  suitToRequests();
  options.onReady();
  const signal = await ended;
  say(`\n${signal}: stopping, requests that run may finish (again to stop at once)`);
  isReady = false;
  await workers.stop(stopDrain);
  await admin?.close();
  say("stopped");
}
