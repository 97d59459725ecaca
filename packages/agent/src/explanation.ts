import type { DecisionReport } from "@clew/control";
import type { Outcome, RequestHead } from "@clew/proxy";
import type { Decision } from "@clew/routing";
import { formatStructuredItem, StructuredToken, type StructuredValue } from "@clew/wire";
import type { RoutedRequest } from "./routed-request.ts";

/** One decision, and what is said with it. */
export interface Told {
  readonly service: string;
  readonly agent: string;
  readonly port: string;
  readonly head: RequestHead;
  readonly request: RoutedRequest;
  readonly decision: Decision;
  readonly nonce: string | undefined;
  readonly decideUs: number;
  /** By `performance.now()`. */
  readonly arrivedAtMs: number;
}

/** Characters of a path, and of a caller's name, in a report: a full batch stays far below the manager's limit of 1 MB. */
const maxReportedLength = 1_024;

export function createReport(told: Told, outcome: Outcome): DecisionReport {
  const { service, agent, port, head, request, decision, nonce, decideUs, arrivedAtMs } = told;
  return {
    nonce,
    service,
    agent,
    port,
    method: head.method,
    path: head.path.slice(0, maxReportedLength),
    caller: request.context.caller?.slice(0, maxReportedLength),
    atUs: Math.round((performance.timeOrigin + arrivedAtMs) * 1_000),
    destination: decision.destination,
    reason: decision.reason,
    route: decision.route,
    rule: decision.rule?.id,
    override: decision.override?.id,
    owner: decision.override?.owner,
    fallback: outcome.fellBack ? (outcome.failure?.code ?? "E_UNKNOWN") : undefined,
    status: outcome.status,
    decideUs,
    durationMs: outcome.durationMs,
  };
}

/**
 * The value of `clew-decision`: the destination, with the rest as parameters, as one structured field item.
 * Source: RFC 9651 §3.3.
 */
export function formatDecision(told: Told, fellBack: boolean): string {
  const { service, agent, port, decision, decideUs } = told;
  const { destination, reason, route, rule, override } = decision;
  const parameters: ReadonlyArray<readonly [string, StructuredValue | undefined]> = [
    ["service", service],
    ["agent", agent],
    ["port", port],
    ["reason", new StructuredToken(reason)],
    ["route", route],
    ["rule", rule?.id],
    ["override", override?.id],
    ["owner", override?.owner],
    ["fallback", fellBack ? true : undefined],
    ["decide-us", decideUs],
  ];
  return formatStructuredItem({
    value: new StructuredToken(destination),
    parameters: Object.fromEntries(
      parameters.filter(
        (parameter): parameter is readonly [string, StructuredValue] => parameter[1] !== undefined,
      ),
    ),
  });
}
