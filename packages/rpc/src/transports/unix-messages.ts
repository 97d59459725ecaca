import { protocolName, protocolVersion } from "../envelope/document.ts";
import type { StreamEventName } from "../server/exchange.ts";

/**
 * A Unix socket has no headers and many calls on one connection, and the specification says nothing about either. So,
 * in members that a peer which knows only the specification ignores:
 *
 * - a request's `metadata` holds what HTTP has in its headers, by lower-case name;
 * - a frame `{ protocol, id, event, data, event_id? }` from the server is one event of a stream, `event` being what it is in a
 *   server-sent event, or `alive` on a quiet stream;
 * - a frame `{ protocol, id, event: "cancel" }` from the client ends the call with that id.
 *
 * Documented in docs/reference/forrst.md.
 */
export type SocketEvent = StreamEventName | "alive" | "cancel";

const protocol = JSON.stringify({ name: protocolName, version: protocolVersion });

/** `data` is JSON text. */
export function writeSocketEvent(id: string, event: SocketEvent, data?: string, eventId?: string): string {
  const named = eventId === undefined ? "" : `,"event_id":${JSON.stringify(eventId)}`;
  const rest = data === undefined ? "" : `${named},"data":${data}`;
  return `{"protocol":${protocol},"id":${JSON.stringify(id)},"event":"${event}"${rest}}`;
}
