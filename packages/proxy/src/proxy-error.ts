import { ClewError, isClewError } from "@clew/errors";
import type { Failure, LocalAnswer } from "./types.ts";

/** What goes wrong in the data plane. Codes: docs/reference/errors.md. */
export class ProxyError extends ClewError {}

/** The upstream could not be reached: nothing was sent. A connector's own code says more and is kept. */
export function connectFailure(upstreamKey: string, error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = isClewError(error) ? error.code : "E_UPSTREAM_UNREACHABLE";
  return { code, message: `could not reach ${upstreamKey}: ${message}`, stage: "connect" };
}

/** The upstream was reached, but gave no (understandable) answer. */
export function answerFailure(upstreamKey: string, error: unknown, stage: Failure["stage"]): Failure {
  const reason = error instanceof Error ? error : undefined;
  // llhttp's codes: the answer came, but is not HTTP.
  const isMalformed = String((reason as NodeJS.ErrnoException | undefined)?.code).startsWith("HPE_");
  const what = isMalformed ? "gave an answer that is not valid HTTP/1.1" : "broke off before it answered";
  return {
    code: isMalformed ? "E_ANSWER_MALFORMED" : "E_UPSTREAM_BROKEN",
    message: `${upstreamKey} ${what}${reason === undefined ? "" : `: ${reason.message}`}`,
    stage,
  };
}

/** An answer that says by header and body what went wrong. */
export function errorAnswer(status: number, code: string, message: string): LocalAnswer {
  return {
    status,
    headers: [
      ["content-type", "text/plain; charset=utf-8"],
      ["clew-error", code],
    ],
    body: `${code}: ${message}\n`,
  };
}
