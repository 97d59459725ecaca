import type { ForrstError, ForrstRequest } from "../envelope/document.ts";
import { coreExtensionName } from "./extension-urn.ts";

export const eventStreamType = "text/event-stream";

/** How the answer to a request is to be given. `urn` is echoed as the request wrote it. */
export type StreamRequest =
  | { readonly kind: "none" }
  | { readonly kind: "accepted"; readonly urn: string; readonly index: number }
  | { readonly kind: "invalid"; readonly error: ForrstError };

/** Source: Forrst specification, extensions/stream, "Options (Request)". */
export function readStreamRequest(request: ForrstRequest): StreamRequest {
  for (const [index, extension] of request.extensions.entries()) {
    if (coreExtensionName(extension.urn) !== "stream") continue;
    const accept = extension.options["accept"];
    if (typeof accept !== "boolean") {
      const source = { pointer: `/extensions/${index}/options/accept` };
      const message = "The stream extension's `accept` must be true or false";
      return { kind: "invalid", error: { code: "INVALID_REQUEST", message, source } };
    }
    return accept ? { kind: "accepted", urn: extension.urn, index } : { kind: "none" };
  }
  return { kind: "none" };
}

/** One server-sent event. `data` is JSON text, which never holds a line break. */
export function writeEvent(event: "data" | "error" | "done" | "complete", data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}

/** A comment that keeps a quiet stream visibly alive. Source: WHATWG HTML §9.2.7. */
export const heartbeat = ": alive\n\n";
