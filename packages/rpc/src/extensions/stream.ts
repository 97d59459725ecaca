import { firstLine } from "../envelope/metadata.ts";
import { RpcError } from "../rpc-error.ts";
import type { StreamEventName } from "../server/exchange.ts";
import { defineExtension, type Extension, type OptionFault } from "./extension.ts";
import { streamUrn } from "./extension-urn.ts";

export const eventStreamType = "text/event-stream";

/** Source: Forrst specification, extensions/stream "Negotiation" and "Options (Request)". */
export const streamExtension: Extension = defineExtension<void>({
  urn: streamUrn,
  // A function that only streams has to be asked for a stream.
  isAlwaysOn: "streams",
  capabilities: { content_type: eventStreamType, events: ["data", "progress", "error", "done", "complete"] },
  validate({ accept, last_event_id: lastEventId }) {
    const faults: OptionFault[] = [];
    if (typeof accept !== "boolean")
      faults.push({ pointer: "/accept", message: "The stream extension's `accept` must be true or false" });
    if (lastEventId !== undefined && (typeof lastEventId !== "string" || !isEventId(lastEventId)))
      faults.push({ pointer: "/last_event_id", message: `\`last_event_id\` must be ${eventIdRule}` });
    return faults;
  },
  applies({ kind }, { accept }) {
    return kind === "stream" || accept !== true ? true : "Function does not support streaming";
  },
  before({ target, options, header, call }) {
    if (target.kind === "function") return;
    if (options["accept"] === true) {
      const given = options["last_event_id"] ?? firstLine(header, "last-event-id");
      if (typeof given === "string" && isEventId(given)) call.lastEventId = given;
      return;
    }
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

/** An event by which a client can take the stream up again, should it break. */
export class ResumableEvent<Event> {
  readonly value: Event;
  readonly id: string;

  constructor(value: Event, id: string) {
    this.value = value;
    this.id = id;
  }
}

/**
 * What a stream's handler yields instead of an event that can be found again by its id: after a break the client calls
 * anew, and `call.lastEventId` is the last id that reached it. Throws E_RPC_EVENT_ID for what cannot be one.
 */
export function resumable<Event>(event: Event, id: string): ResumableEvent<Event> {
  if (isEventId(id)) return new ResumableEvent(event, id);
  throw new RpcError("E_RPC_EVENT_ID", `${JSON.stringify(id)} cannot be the id of an event`, {
    hint: `It must be ${eventIdRule}.`,
  });
}

const eventIdRule = "1 to 256 printable ASCII characters";

function isEventId(id: string): boolean {
  return /^[\x20-\x7e]{1,256}$/.test(id);
}

/** How far a stream's work has come. */
export interface Progress {
  readonly current: number;
  readonly total: number;
  /** Of the total, rounded down; undefined where the total is 0. */
  readonly percent?: number | undefined;
  readonly message?: string | undefined;
}

/** As {@link Progress}, on its way. */
export class ProgressEvent {
  readonly progress: Progress;

  constructor(progress: Progress) {
    this.progress = progress;
  }
}

/**
 * What a stream's handler yields to tell how far it has come; it is no event of the contract, and a client sees it by
 * `onProgress`. Source: Forrst specification, extensions/stream "Stream Chunk Format".
 */
export function progress(current: number, total: number, message?: string): ProgressEvent {
  const percent = total === 0 ? undefined : { percent: Math.floor((current / total) * 100) };
  return new ProgressEvent({
    current,
    total,
    ...percent,
    ...(message === undefined ? undefined : { message }),
  });
}

/** One server-sent event. `data` is JSON text, which never holds a line break. */
export function writeEvent(event: StreamEventName, data: string, id?: string): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`;
}

/** A comment that keeps a quiet stream visibly alive. Source: WHATWG HTML §9.2.7. */
export const heartbeat = ": alive\n\n";
