import type { ResponseExtension } from "../envelope/document.ts";
import { maxResponseBytes } from "../envelope/limits.ts";
import { writeResponse } from "../envelope/write.ts";
import { RpcError } from "../rpc-error.ts";
import type { Exchange } from "./exchange.ts";

/** Sends an answer, unless one was begun already or nobody is left to read it. */
export function sendResult(
  exchange: Exchange,
  id: string,
  result: unknown,
  extensions?: readonly ResponseExtension[],
): void {
  const text = writeResponse({ id, result: result as never, extensions });
  // A character is at most three bytes, so that most answers need not be counted.
  if (text.length * 3 > maxResponseBytes && Buffer.byteLength(text) > maxResponseBytes) {
    throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `the result is larger than ${maxResponseBytes} bytes`, {
      status: 500,
      hint: "Ask for less at once, or use a stream.",
    });
  }
  exchange.send({ id, status: 200, text });
}

export function sendError(
  exchange: Exchange,
  id: string | null,
  error: RpcError,
  extensions?: readonly ResponseExtension[],
): void {
  // Source: Forrst specification, transport "Multiple Errors".
  const status = error.errors.length > 1 ? 400 : error.status;
  exchange.send({ id, status, text: writeResponse({ id, result: null, errors: error.errors, extensions }) });
}
