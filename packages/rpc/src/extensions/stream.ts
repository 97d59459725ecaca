import { RpcError } from "../rpc-error.ts";
import { defineExtension, type Extension } from "./extension.ts";
import { streamUrn } from "./extension-urn.ts";

export const eventStreamType = "text/event-stream";

/** Source: Forrst specification, extensions/stream "Negotiation" and "Options (Request)". */
export const streamExtension: Extension = defineExtension<void>({
  urn: streamUrn,
  // A function that only streams has to be asked for a stream.
  isAlwaysOn: true,
  capabilities: { content_type: eventStreamType, events: ["data", "error", "done", "complete"] },
  validate({ accept }) {
    if (typeof accept === "boolean") return [];
    return [{ pointer: "/accept", message: "The stream extension's `accept` must be true or false" }];
  },
  applies({ kind }, { accept }) {
    return kind === "stream" || accept !== true ? true : "Function does not support streaming";
  },
  before({ target, options }) {
    if (target.kind === "function" || options["accept"] === true) return;
    throw new RpcError("INVALID_REQUEST", `Function ${target.name} answers only as a stream`, {
      source: { pointer: "/extensions" },
      hint: `Send the extension ${streamUrn} with { "accept": true }.`,
    });
  },
  data({ target }, { ok }) {
    if (target.kind === "function") return { enabled: false };
    return { enabled: true, content_type: eventStreamType, completed: ok };
  },
});

/** One server-sent event. `data` is JSON text, which never holds a line break. */
export function writeEvent(event: "data" | "error" | "done" | "complete", data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}

/** A comment that keeps a quiet stream visibly alive. Source: WHATWG HTML §9.2.7. */
export const heartbeat = ": alive\n\n";
