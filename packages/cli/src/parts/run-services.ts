import type { ServiceConfig } from "../config/config.ts";
import { startGuard } from "../processes/guard.ts";
import { superviseService } from "../processes/supervised-service.ts";
import { waitForListener } from "./addresses.ts";
import type { StartOptions } from "./start-parts.ts";

/** How long a service may take to end by itself before it is killed. */
const serviceGraceMs = 3_000;
/** A service that does not listen by then is reported; it may still come. */
const serviceStartMs = 30_000;

/** Starts and supervises the selected services that clew.yaml says how to run; names those that do not listen in time. */
export async function runServices(
  options: StartOptions,
): Promise<{ late: string[]; stop: () => Promise<void> }> {
  const { config, selection, env, log, onServiceLine, onProgress } = options;
  const chosen = config.services.filter(({ name, run }) => run !== undefined && selection.services.has(name));
  if (chosen.length === 0) return { late: [], stop: async () => {} };
  const guard = startGuard();
  const running = chosen.map((service) =>
    superviseService({
      service,
      services: config.services,
      env,
      guard,
      log: log.child({ component: service.name }),
      onLine: (line) => onServiceLine(service.name, line),
    }),
  );
  const late = await lateServices(chosen, onProgress);
  return {
    late,
    stop: async () => {
      await Promise.all(running.map((service) => service.stop(serviceGraceMs)));
      guard.close();
    },
  };
}

/** Waits until every port of every service accepts, up to the limit; names the services that do not. */
async function lateServices(
  services: readonly ServiceConfig[],
  onProgress: (text: string) => void,
): Promise<string[]> {
  const signal = AbortSignal.timeout(serviceStartMs);
  const late: string[] = [];
  await Promise.all(
    services.map(async ({ name, ports }) => {
      const listening = await Promise.all(
        Object.values(ports).map(({ upstream }) => waitForListener(upstream, signal)),
      );
      if (listening.every(Boolean)) onProgress(`${name} is running`);
      else late.push(name);
    }),
  );
  return late.toSorted();
}
