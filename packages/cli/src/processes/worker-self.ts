import type { Cluster } from "node:cluster";
import type { MetricFamily } from "@clew/proxy";
import type { Drain } from "../parts/drain.ts";

/** Names the one agent that all workers are. */
export const seedVariable = "CLEW_AGENT_SEED";

/** Tells a worker that others serve meanwhile. */
export const relievesVariable = "CLEW_WORKER_RELIEVES";

export type FromWorker =
  | { readonly clew: "ready" }
  | { readonly clew: "metrics"; readonly families: readonly MetricFamily[] };
export type FromPrimary = { readonly clew: "drain"; readonly drain: Drain } | { readonly clew: "metrics" };

/** What a worker knows of itself; undefined in any other process. */
export interface WorkerSelf {
  /** The same in all workers of one command. */
  readonly seed: string;
  /** Tells them apart. */
  readonly name: string;
  /** Others serve until this one does. */
  readonly isRelieving: boolean;
  /** It serves; and what it has counted, when the primary asks. */
  serve(metrics: () => MetricFamily[]): void;
  /** The primary asks this worker to finish what runs and end. */
  readonly drained: Promise<Drain>;
  /** Nothing is left to do. */
  leave(): void;
}

export function findWorkerSelf(target: NodeJS.Process): WorkerSelf | undefined {
  const seed = target.env[seedVariable];
  if (seed === undefined || target.send === undefined) return undefined;
  // Only where it is one: no other process needs the module.
  const cluster = target.getBuiltinModule("node:cluster") as unknown as Cluster;
  if (!cluster.isWorker) return undefined;
  const say = (message: FromWorker): void => {
    if (target.connected) target.send?.(message);
  };
  return {
    seed,
    isRelieving: target.env[relievesVariable] === "1",
    name: `${cluster.worker?.id ?? 0}`,
    serve(metrics) {
      target.on("message", (message: FromPrimary) => {
        if (message.clew === "metrics") say({ clew: "metrics", families: metrics() });
      });
      say({ clew: "ready" });
    },
    drained: new Promise((resolve) => {
      target.on("message", (message: FromPrimary) => {
        if (message.clew === "drain") resolve(message.drain);
      });
    }),
    leave: () => cluster.worker?.disconnect(),
  };
}
