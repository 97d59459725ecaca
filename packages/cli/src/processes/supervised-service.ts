import type { Logger } from "pino";
import type { ServiceConfig } from "../config/config.ts";
import { type Child, describeEnding, startChild } from "./child.ts";
import type { Guard } from "./guard.ts";
import { configuredAddresses, serviceEnvironment } from "./service-environment.ts";

/** Pause before a service that ended is started again: doubles from the first to the last, so a broken one costs little. */
const restartPauseMs = { first: 500, last: 10_000 };
/** A service that ran this long was healthy: the pause starts small again. */
const healthyAfterMs = 10_000;

export interface SupervisedService {
  readonly name: string;
  stop(graceMs: number): Promise<void>;
}

export interface SuperviseOptions {
  readonly service: ServiceConfig;
  readonly services: readonly ServiceConfig[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guard: Guard;
  readonly log: Logger;
  onLine(line: string): void;
}

/** Starts a service's `run` command and starts it again whenever it ends by itself. */
export function superviseService(options: SuperviseOptions): SupervisedService {
  const { service, log } = options;
  let child: Child | undefined;
  let stopping = false;
  let endPause: (() => void) | undefined;

  const keepRunning = async (): Promise<void> => {
    let pauseMs = restartPauseMs.first;
    while (!stopping) {
      const startedAt = performance.now();
      child = startChild(childOptions(options));
      const ending = await child.ended;
      if (stopping) return;
      if (performance.now() - startedAt > healthyAfterMs) pauseMs = restartPauseMs.first;
      log.warn(
        { event: "service.ended", service: service.name, restartInMs: pauseMs },
        `${service.name} ${describeEnding(ending)}; starting it again`,
      );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        endPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      pauseMs = Math.min(pauseMs * 2, restartPauseMs.last);
    }
  };
  const finished = keepRunning();

  return {
    name: service.name,
    stop: async (graceMs) => {
      stopping = true;
      endPause?.();
      await child?.stop(graceMs);
      await finished;
    },
  };
}

function childOptions({
  service,
  services,
  env,
  guard,
  onLine,
}: SuperviseOptions): Parameters<typeof startChild>[0] {
  const [port] = Object.values(service.ports);
  const { host = "127.0.0.1", port: number = 0 } = port?.upstream ?? {};
  const added = serviceEnvironment(
    {
      service: service.name,
      host,
      port: number,
      declared: service.env,
      propagate: service.propagate,
      addressOf: configuredAddresses(services),
    },
    env,
  );
  return { command: service.run ?? "", cwd: service.cwd, env: { ...env, ...added }, guard, onLine };
}
