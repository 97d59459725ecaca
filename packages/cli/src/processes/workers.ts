import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { type MetricFamily, sumMetrics } from "@clew/proxy";
import type { Logger } from "pino";
import { CliError } from "../errors.ts";
import type { Drain } from "../parts/drain.ts";
import { type FromPrimary, type FromWorker, relievesVariable, seedVariable } from "./worker-self.ts";

// Several processes on several cores, by node:cluster: this one, the primary, holds the listening descriptors and passes
// connections out in turn; workers run the same command, and serve. Workers can be replaced one by one.

/** Until then a worker must serve. */
const readyLimitMs = 30_000;
/** Pause before a worker that ended by itself is replaced, so that one that cannot start costs little. */
const replacePauseMs = 500;
/** What a worker gets beyond its grace before it is killed. */
const killAfterMs = 3_000;

/** A worker that does not say its metrics by then is left out: the others are worth more than none. */
const metricsLimitMs = 1_000;

export interface Workers {
  /** Replaces each worker by a new one, which serves before the old one stops accepting. */
  roll(drain: Drain): Promise<void>;
  /** What all of them have counted together. */
  metrics(): Promise<MetricFamily[]>;
  /** Asks all to finish, and resolves when they have ended; kills what is left some time after `drain.graceMs`. */
  stop(drain: Drain): Promise<void>;
}

export interface WorkersOptions {
  readonly count: number;
  readonly argv: readonly string[];
  readonly seed: string;
  readonly log: Logger;
}

/** Starts all workers, and resolves when each serves. Rejects with `E_WORKER_FAILED`; none is left then. */
export async function startWorkers({ count, argv, seed, log }: WorkersOptions): Promise<Workers> {
  cluster.setupPrimary({ exec: argv[1] ?? "", args: argv.slice(2) });
  const running = new Set<Worker>();
  const draining = new Set<Worker>();
  let isStopping = false;

  const start = async (isRelieving: boolean): Promise<void> => {
    const worker = cluster.fork({ [seedVariable]: seed, [relievesVariable]: isRelieving ? "1" : "0" });
    await served(worker);
    running.add(worker);
    log.info({ event: "worker.serves", worker: worker.id, pid: worker.process.pid }, "A worker serves.");
    worker.once("exit", (code, signal) => {
      if (!running.delete(worker) || isStopping) return;
      log.warn(
        { event: "worker.ended", worker: worker.id, code, signal },
        "A worker ended by itself; another takes its place.",
      );
      replace();
    });
  };
  const replace = (): void => {
    setTimeout(() => {
      if (isStopping) return;
      start(running.size > 0).catch((err: unknown) => {
        log.error({ event: "worker.failed", err }, "A worker could not be started; it is tried again.");
        replace();
      });
    }, replacePauseMs).unref();
  };
  const finish = async (worker: Worker, drain: Drain): Promise<void> => {
    running.delete(worker);
    draining.add(worker);
    const ended = once(worker, "exit");
    if (worker.isConnected()) worker.send({ clew: "drain", drain } satisfies FromPrimary);
    await ended;
    draining.delete(worker);
  };
  const stop = async (drain: Drain): Promise<void> => {
    isStopping = true;
    const all = [...running, ...draining];
    const ended = all.map((worker) => once(worker, "exit"));
    const timer = setTimeout(() => {
      for (const worker of all) worker.process.kill("SIGKILL");
    }, drain.graceMs + killAfterMs);
    for (const worker of running) void finish(worker, drain);
    await Promise.all(ended);
    clearTimeout(timer);
  };

  try {
    await Promise.all(Array.from({ length: count }, () => start(false)));
  } catch (error) {
    await stop({ graceMs: 0, idleGraceMs: 0 });
    throw error;
  }
  return {
    async roll(drain) {
      for (const old of [...running]) {
        await start(true);
        // Not waited for: what it finishes may last, and others are to be replaced.
        void finish(old, drain);
      }
    },
    metrics: async () => sumMetrics(await Promise.all([...running, ...draining].map(metricsOf))),
    stop,
  };
}

function metricsOf(worker: Worker): Promise<readonly MetricFamily[]> {
  return new Promise((resolve) => {
    const end = (families: readonly MetricFamily[]): void => {
      clearTimeout(limit);
      worker.off("message", told);
      resolve(families);
    };
    const told = (message: FromWorker): void => {
      if (message.clew === "metrics") end(message.families);
    };
    const limit = setTimeout(end, metricsLimitMs, []);
    worker.on("message", told);
    if (worker.isConnected()) worker.send({ clew: "metrics" } satisfies FromPrimary);
    else end([]);
  });
}

function served(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(limit);
      worker.process.kill("SIGKILL");
      reject(new CliError("E_WORKER_FAILED", `a worker did not come to serve: ${why}`));
    };
    const limit = setTimeout(fail, readyLimitMs, `it was not ready within ${readyLimitMs} ms`);
    const onExit = (code: number): void => fail(`it ended with code ${code}`);
    worker.once("exit", onExit);
    worker.on("message", (message: FromWorker) => {
      if (message.clew !== "ready") return;
      clearTimeout(limit);
      worker.off("exit", onExit);
      resolve();
    });
  });
}
