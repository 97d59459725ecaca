import type { ServerResponse } from "node:http";
import { maxResponseBytes } from "../envelope/limits.ts";
import { writeResponse } from "../envelope/write.ts";
import { RpcError } from "../rpc-error.ts";

/** Sends an answer, unless one was begun already or nobody is left to read it. */
export function sendResult(response: ServerResponse, id: string, result: unknown): void {
  const text = writeResponse({ id, result: result as never });
  if (text.length > maxResponseBytes || Buffer.byteLength(text) > maxResponseBytes) {
    throw new RpcError("E_RPC_RESPONSE_TOO_LARGE", `the result is larger than ${maxResponseBytes} bytes`, {
      status: 500,
      hint: "Ask for less at once, or use a stream.",
    });
  }
  sendDocument(response, 200, text, id, {});
}

export function sendError(
  response: ServerResponse,
  id: string | null,
  error: RpcError,
  headers: Readonly<Record<string, string>> = {},
): void {
  // Source: Forrst specification, transport "Multiple Errors".
  const status = error.errors.length > 1 ? 400 : error.status;
  const text = writeResponse({ id, result: null, errors: error.errors });
  sendDocument(response, status, text, id, headers);
}

function sendDocument(
  response: ServerResponse,
  status: number,
  text: string,
  id: string | null,
  headers: Readonly<Record<string, string>>,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...requestIdHeader(id),
    ...headers,
  });
  response.end(text);
}

/** Only ids that are safe in a header and of a length that headers bear are echoed there as well. */
export function requestIdHeader(id: string | null): Record<string, string> {
  return id !== null && /^[\x21-\x7e]{1,128}$/.test(id) ? { "x-forrst-request-id": id } : {};
}
