export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
  /** Given by the server for taking a stream up again behind this event. */
  readonly id?: string | undefined;
}

/**
 * Cuts a stream of bytes into server-sent events; comments only show that the other end lives.
 * Source: WHATWG HTML §9.2.5 and §9.2.6, without `retry`, which the stream extension does not use; an `id` belongs to its event alone.
 */
export class EventStreamParser {
  readonly #decoder = new TextDecoder();
  readonly #maxEventBytes: number;
  #rest = "";
  #event = "";
  #data: string[] = [];
  #id: string | undefined;
  #size = 0;

  constructor(maxEventBytes: number) {
    this.#maxEventBytes = maxEventBytes;
  }

  /** Events completed by this chunk, or "too-large" when one event passes the limit (I8). */
  push(chunk: Uint8Array): ServerSentEvent[] | "too-large" {
    const events: ServerSentEvent[] = [];
    // What is left of the last chunk holds no line end, unless its last character is half of one.
    let searchFrom = Math.max(0, this.#rest.length - 1);
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (;;) {
      const end = findLineEnd(text, searchFrom);
      if (end === undefined) break;
      this.#line(text.slice(start, end.at), events);
      if (this.#size > this.#maxEventBytes) return "too-large";
      start = end.next;
      searchFrom = start;
    }
    this.#rest = text.slice(start);
    return this.#size + this.#rest.length > this.#maxEventBytes ? "too-large" : events;
  }

  #line(line: string, events: ServerSentEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) {
        const id = this.#id === undefined ? undefined : { id: this.#id };
        events.push({ event: this.#event || "message", data: this.#data.join("\n"), ...id });
      }
      this.#event = "";
      this.#data = [];
      this.#id = undefined;
      this.#size = 0;
      return;
    }
    const colon = line.indexOf(":");
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") {
      this.#event = value;
    } else if (field === "id") {
      this.#id = value;
    } else if (field === "data") {
      this.#data.push(value);
      this.#size += value.length + 1;
    }
  }
}

/** A carriage return at the very end may be half of a CRLF: it waits for the next chunk. */
function findLineEnd(text: string, from: number): { readonly at: number; readonly next: number } | undefined {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a) return { at, next: at + 1 };
    if (code !== 0x0d) continue;
    if (at + 1 === text.length) return undefined;
    return { at, next: text.charCodeAt(at + 1) === 0x0a ? at + 2 : at + 1 };
  }
  return undefined;
}
