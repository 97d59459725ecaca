import { type ManagerClient, maxVisitsPerReport, type PreviewVisit } from "@clew/control";
import type { Logger } from "pino";

/** Tells the manager who visited, some at a time. */
export interface VisitReports {
  add(visit: PreviewVisit): void;
  /** Sends what is left. Never rejects. */
  close(): Promise<void>;
}

/** How long visits are gathered, in ms: an owner who looks is told within a moment. */
const gatherMs = 1_000;
/** Characters of an address or a browser's name: what people read of it. */
const maxTextLength = 512;

/** At most `maxPending` wait; at the limit new ones are dropped (I8): a list of visits is no bookkeeping. */
export function createVisitReports(client: ManagerClient, maxPending: number, log: Logger): VisitReports {
  let waiting: PreviewVisit[] = [];
  let timer: NodeJS.Timeout | undefined;
  const send = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    while (waiting.length > 0) {
      const visits = waiting.slice(0, maxVisitsPerReport);
      waiting = waiting.slice(maxVisitsPerReport);
      try {
        await client.previews.visits({ visits });
      } catch (error) {
        log.debug(
          { event: "gateway.visits_lost", visits: visits.length, err: error },
          "Visits were not told.",
        );
      }
    }
  };
  return {
    add(visit) {
      if (waiting.length >= maxPending) return;
      const { path, userAgent } = visit;
      waiting.push({
        ...visit,
        path: path.slice(0, maxTextLength),
        userAgent: userAgent?.slice(0, maxTextLength),
      });
      timer ??= setTimeout(() => void send(), gatherMs).unref();
    },
    close: send,
  };
}
