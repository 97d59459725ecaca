import { createEtcdRegistry, createMemoryRegistry, type RegistryReport, startManager } from "@clew/manager";
import { formatEndpoint } from "../config/config.ts";
import { packageVersion } from "../package-version.ts";
import type { Drain } from "./drain.ts";
import { describeReport } from "./registry-report.ts";
import type { AgentsStart } from "./run-agents.ts";

/** Starts the manager and its registry as clew.yaml says. Returns what ends both. */
export async function runManager({
  config,
  log,
  onProgress,
}: Pick<AgentsStart, "config" | "log" | "onProgress">): Promise<(drain: Drain) => Promise<void>> {
  const { listen, registry: kind, state, token } = config.manager;
  const registryLog = log.child({ component: "registry" });
  const onReport = (report: RegistryReport): void => {
    registryLog.warn({ event: `registry.${report.kind}`, ...report }, describeReport(report));
  };
  const registry =
    kind === "memory"
      ? await createMemoryRegistry({ directory: state, onReport })
      : await createEtcdRegistry({ endpoints: [...kind.etcd], prefix: kind.prefix, onReport });
  try {
    const manager = await startManager({
      listen,
      advertise: config.manager.advertise,
      environment: config.environment,
      registry,
      version: packageVersion(),
      ...(token === undefined ? {} : { token }),
      routingKeys: config.manager.routingKeys,
      log: log.child({ component: "manager" }),
    });
    onProgress(`manager listens on ${formatEndpoint(listen)}`);
    return async ({ graceMs }) => {
      await manager.close({ graceMs });
      await registry.close();
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}
