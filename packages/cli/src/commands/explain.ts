import { randomBytes } from "node:crypto";
import { explainField, routeField } from "@clew/context";
import type { DecisionReport, ManagerClient, SessionInfo } from "@clew/control";
import type { Override } from "@clew/routing";
import { type CliContext, type ManagerFlags, print } from "../cli-context.ts";
import { withManager } from "../developer/manager-access.ts";
import { requestRoutingKey } from "../developer/routing-key.ts";
import { layOut } from "../output/table.ts";
import { describeTarget } from "./list.ts";
import { sendRequest } from "./request.ts";

interface ExplainFlags extends ManagerFlags {
  readonly route?: string;
}

/** Agents report within milliseconds; after this silence nothing more is expected. */
const quietMs = 500;
/** A service that is slow to report is not waited for longer than this. */
const collectLimitMs = 5_000;

/** Sends one request and shows what each agent that met it decided, and why. */
export function explain(this: CliContext, flags: ExplainFlags, url: string): Promise<void> {
  return withManager(this, flags.manager, async ({ client }) => {
    // Asked before the request goes out, so that no request is sent in vain.
    const route = await routeMember(client, flags.route);
    const nonce = randomBytes(12).toString("hex");
    const baggage = [...route, `${explainField}=${nonce}`].join(",");
    const { status } = await sendRequest({ url, method: "GET", headers: { baggage } });
    const decisions = await collectDecisions(client, nonce);
    const [{ overrides }, { sessions }] = await Promise.all([
      client.overrides.list({}),
      client.sessions.list({}),
    ]);
    const text = describeDecisions(url, status, decisions, { overrides, sessions });
    print(this, { url, status, nonce, decisions }, text);
  });
}

async function routeMember(client: ManagerClient, route: string | undefined): Promise<string[]> {
  if (route !== undefined) return [`${routeField}=${(await requestRoutingKey(client, route)).key}`];
  await client.health({});
  return [];
}

async function collectDecisions(client: ManagerClient, nonce: string): Promise<DecisionReport[]> {
  const decisions: DecisionReport[] = [];
  const enough = new AbortController();
  const limit = setTimeout(() => enough.abort(), collectLimitMs);
  let quiet = setTimeout(() => enough.abort(), quietMs);
  try {
    for await (const decision of client.decisions.watch({ nonce }, { signal: enough.signal })) {
      decisions.push(decision);
      clearTimeout(quiet);
      quiet = setTimeout(() => enough.abort(), quietMs);
    }
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(limit);
    clearTimeout(quiet);
  }
  return decisions.toSorted((a, b) => a.atUs - b.atUs);
}

/** What is needed to say where an override leads. */
interface Known {
  readonly overrides: readonly Override[];
  readonly sessions: readonly SessionInfo[];
}

/** One line an agent, in the order in which the request met them. */
export function describeDecisions(
  url: string,
  status: number,
  decisions: readonly DecisionReport[],
  known: Known,
): string {
  const head = `GET ${url} → ${status}`;
  if (decisions.length === 0) {
    return (
      `${head}\n\nNo agent reported this request: it met none, or none that may explain itself.\n` +
      "Where routing keys are signed, only a request on a route is explained: --route NAME"
    );
  }
  const rows = decisions.map((decision) => [
    decision.service,
    `from ${decision.caller ?? "outside"}`,
    `${decision.method} ${decision.path}`,
    describeDestination(decision, known),
    describeReason(decision),
    `${decision.durationMs.toFixed(1)} ms (decided in ${decision.decideUs} µs)`,
  ]);
  return `${head}\n\n${layOut(rows)}`;
}

function describeDestination({ destination, fallback, override }: DecisionReport, known: Known): string {
  if (destination === "live") return "live";
  if (fallback !== undefined) return "live, as a fallback";
  const taken = known.overrides.find(({ id }) => id === override);
  return taken === undefined ? "an override that has ended" : describeTarget(taken, known.sessions);
}

function describeReason(decision: DecisionReport): string {
  const { reason, route = "?", rule = "?", owner = "?", fallback } = decision;
  const failed = fallback === undefined ? "" : `; it could not be reached (${fallback})`;
  switch (reason) {
    case "route":
      return `route ${route} of ${owner}${failed}`;
    case "rule":
      return `rule ${rule} of ${owner}${failed}`;
    case "route-elsewhere":
      return `route ${route} has no override here`;
    case "no-match":
      return "no key, no rule";
    case "key-expired":
      return "its routing key has expired";
    case "key-invalid":
      return "its routing key is not valid";
    case "health-check":
      return "health check";
  }
}
