import { type Context, explainField, parseRoutingKey, type RoutingKeyMode, routeField } from "@clew/context";
import type { DecisionReport } from "@clew/control";
import type { Outcome, RequestHead } from "@clew/proxy";
import { decide, indexTable } from "@clew/routing";

export type ReportSink = (report: DecisionReport) => void;

/** The gateway overrides nothing by itself: all that it hands on is live, with the reason that `decide` gives (I6). */
const noOverrides = indexTable(
  { revision: 0, service: "gateway", overrides: [], rules: [], wiretaps: [] },
  "http",
);

/** Characters of a path in a report, so that it is far from the manager's limits. */
const maxReportedLength = 1_024;

/** What to do when the exchange is over, or undefined when nobody asked. Only an accepted `clew-explain` counts. */
export function reportExplained(exchange: {
  readonly gateway: string;
  readonly keys: RoutingKeyMode;
  readonly head: RequestHead;
  readonly context: Context;
  /** By `performance.now()`. */
  readonly arrivedAtMs: number;
  readonly report: ReportSink;
}): ((outcome: Outcome) => void) | undefined {
  const { gateway, keys, head, context, arrivedAtMs, report } = exchange;
  const nonce = context.get(explainField);
  if (typeof nonce !== "string" || nonce === "") return undefined;
  const { method, path } = head;
  const key = parseRoutingKey(context.get(routeField), keys);
  const { destination, reason, route } = decide(
    { method, path, key, header: (name) => head.header(name), field: () => undefined },
    noOverrides,
  );
  const decideUs = Math.round((performance.now() - arrivedAtMs) * 1_000);
  const atUs = Math.round((performance.timeOrigin + arrivedAtMs) * 1_000);
  return ({ status, durationMs }) => {
    const about = {
      nonce,
      service: "gateway",
      agent: gateway,
      port: "http",
      method,
      path: path.slice(0, maxReportedLength),
    };
    report({ ...about, atUs, destination, reason, route, status, decideUs, durationMs });
  };
}
