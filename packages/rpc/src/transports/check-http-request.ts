import { RpcError } from "../rpc-error.ts";
import type { HttpRequest } from "./http-exchange.ts";
import { tooLarge } from "./read-body.ts";

/**
 * What can be refused before a body is read. Throws INVALID_REQUEST with status 405, 415 or 413.
 * Source: Forrst specification, transport "Request", "Content Negotiation" and "Request Size Limits".
 */
export function checkHttpRequest(request: HttpRequest, maxBodyBytes: number): void {
  if (request.method !== "POST") {
    throw new RpcError("INVALID_REQUEST", `Method must be POST, not ${request.method}`, { status: 405 });
  }
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json *(?:; *charset="?utf-8"? *)?$/i.test(type)) {
    throw new RpcError("INVALID_REQUEST", "Content-Type must be application/json", { status: 415 });
  }
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") {
    const message = `Content-Encoding ${encoding} is not supported`;
    throw new RpcError("INVALID_REQUEST", message, { status: 415, hint: "Send the body uncompressed." });
  }
  // Somewhat too large: read away first, so that the client reads its refusal (see `readBody`).
  if (Number(request.headers["content-length"] ?? 0) > maxBodyBytes * 4) {
    throw tooLarge(maxBodyBytes);
  }
}
