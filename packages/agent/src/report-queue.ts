import { type DecisionReport, type ManagerClient, maxDecisionsPerReport } from "@clew/control";
import type { AgentLimits } from "./agent-options.ts";

/** Reports on their way to the manager. No request waits for it (I2), and it never holds more than its limit (I8). */
export interface ReportQueue {
  /** Explained decisions are sent at once: somebody waits for them. */
  add(report: DecisionReport): void;
  /** Sends what is left, once, and takes nothing more. */
  close(): Promise<void>;
}

export interface ReportQueueOptions {
  readonly client: Pick<ManagerClient, "decisions">;
  readonly limits: AgentLimits;
  /** At most once per interval: so many reports were lost since the last time. */
  onDropped(count: number, error: unknown): void;
}

export function createReportQueue(options: ReportQueueOptions): ReportQueue {
  const { client, limits } = options;
  let queue: DecisionReport[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let dropped = 0;
  let isClosed = false;

  const sendAll = async (): Promise<void> => {
    while (queue.length > 0) {
      const decisions = queue.splice(0, maxDecisionsPerReport);
      try {
        await client.decisions.report({ decisions }, { timeoutMs: limits.reportTimeoutMs });
      } catch (error) {
        // Reports are news: an hour of old ones, sent when the manager is back, would help nobody.
        options.onDropped(dropped + decisions.length + queue.length, error);
        dropped = 0;
        queue = [];
        return;
      }
    }
    if (dropped > 0) options.onDropped(dropped, undefined);
    dropped = 0;
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    sending ??= sendAll().finally(() => {
      sending = undefined;
      if (queue.length > 0) schedule();
    });
  };
  const schedule = (): void => {
    timer ??= setTimeout(flush, limits.reportIntervalMs).unref();
  };

  return {
    add(report) {
      if (isClosed) return;
      if (queue.length >= limits.maxQueuedReports) {
        dropped += 1;
        return;
      }
      queue.push(report);
      if (report.nonce !== undefined) flush();
      else schedule();
    },
    async close() {
      isClosed = true;
      flush();
      await sending;
    },
  };
}
