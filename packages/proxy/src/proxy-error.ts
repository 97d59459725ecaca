import { ClewError, isClewError } from "@clew/errors";
import type { Failure, LocalAnswer } from "./types.ts";

/** What goes wrong in the data plane. Codes: docs/reference/errors.md. */
export class ProxyError extends ClewError {}

/** The upstream could not be reached: nothing was sent. A connector's own code says more and is kept. */
export function connectFailure(upstreamKey: string, error: unknown): Failure {
  const code = isClewError(error) ? error.code : "E_UPSTREAM_UNREACHABLE";
  return { code, message: `could not reach ${upstreamKey}${reasonOf(error)}`, stage: "connect" };
}

/** The upstream was reached, but gave no answer. */
export function answerFailure(upstreamKey: string, error: unknown, stage: Failure["stage"]): Failure {
  const message = `${upstreamKey} broke off before it answered${reasonOf(error)}`;
  return { code: "E_UPSTREAM_BROKEN", message, stage };
}

/** Only where the upstream has a limit. */
export function timeoutFailure(upstreamKey: string, limitMs: number): Failure {
  const message = `${upstreamKey} did not answer within ${limitMs} ms`;
  return { code: "E_ANSWER_TIMEOUT", message, stage: "answer" };
}

export function malformedAnswer(upstreamKey: string, error: unknown): Failure {
  const message = `${upstreamKey} gave an answer that is not valid HTTP/1.1${reasonOf(error)}`;
  return { code: "E_ANSWER_MALFORMED", message, stage: "answer" };
}

function reasonOf(error: unknown): string {
  if (error === undefined) return "";
  return `: ${error instanceof Error ? error.message : String(error)}`;
}

/** An answer that says by header and body what went wrong. */
export function errorAnswer(
  status: number,
  code: string,
  message: string,
  ...more: LocalAnswer["headers"]
): LocalAnswer {
  return {
    status,
    headers: [["content-type", "text/plain; charset=utf-8"], ["clew-error", code], ...more],
    body: `${code}: ${message}\n`,
  };
}
