import type { Failure, LocalAnswer } from "@clew/proxy";
import type { Override } from "@clew/routing";
import { formatDecision, type Told } from "./explanation.ts";

/**
 * The answer when neither an override nor, where it was allowed, the live service took a request (I3).
 * `explained` is there when the request asked for the decision.
 */
export function failedOverrideAnswer(
  override: Override,
  failure: Failure,
  explained: Told | undefined,
): LocalAnswer {
  const { id, route, service, port, owner, onFailure } = override;
  const where = override.target.kind === "tunnel" ? "their machine" : override.target.url;
  const body = {
    code: "E_OVERRIDE_FAILED",
    message:
      `route ${route} sends requests for ${service} (port ${port}) to ${where}: ${failure.message}` +
      (onFailure === "error" ? "" : "; the live service could not take this request instead"),
    cause: failure.code,
    override: { id, route, service, port, owner },
    hint: `Send the request without its routing key to get the live service. ${owner} ends the override with: clew leave ${service} --route ${route}`,
  };
  return {
    status: 502,
    headers: [
      ["content-type", "application/json"],
      ["clew-error", body.code],
      ...(explained === undefined ? [] : [["clew-decision", formatDecision(explained, false)] as const]),
    ],
    body: `${JSON.stringify(body)}\n`,
  };
}
