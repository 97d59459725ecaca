import type { JsonObject, ResponseExtension } from "../envelope/document.ts";
import { maxResponseBytes } from "../envelope/limits.ts";
import { writeResponse } from "../envelope/write.ts";
import { RpcError } from "../rpc-error.ts";
import type { Exchange } from "./exchange.ts";

/** What an answer says beside result or errors. */
export interface AnswerFacts {
  readonly extensions: readonly ResponseExtension[] | undefined;
  readonly meta: JsonObject | undefined;
  /** As {@link Answer.headers}. */
  readonly headers: readonly string[];
}

/** Sends an answer, unless one was begun already or nobody is left to read it. */
export function sendResult(
  exchange: Exchange,
  id: string,
  result: unknown,
  { extensions, meta, headers }: AnswerFacts,
): void {
  const text = writeResponse({ id, result: result as never, extensions, meta });
  // A character is at most three bytes, so that most answers need not be counted.
  if (text.length * 3 > maxResponseBytes && Buffer.byteLength(text) > maxResponseBytes) {
    throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `the result is larger than ${maxResponseBytes} bytes`, {
      status: 500,
      hint: "Ask for less at once, or use a stream.",
    });
  }
  exchange.send({ id, status: 200, text, headers });
}

export function sendError(
  exchange: Exchange,
  id: string | null,
  error: RpcError,
  { extensions, meta, headers }: AnswerFacts,
): void {
  // Source: Forrst specification, transport "Multiple Errors".
  const status = error.errors.length > 1 ? 400 : error.status;
  const text = writeResponse({ id, result: null, errors: error.errors, extensions, meta });
  exchange.send({ id, status, text, headers });
}
