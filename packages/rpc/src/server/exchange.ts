import type { HeaderReader } from "@clew/context";
import type { ForrstRequest } from "../envelope/document.ts";
import type { Soon } from "../when-ready.ts";

export type StreamEventName = "data" | "progress" | "error" | "done" | "complete";

/** A whole answer as the transport is to send it. */
export interface Answer {
  /** The request's id; null when it could not be read. */
  readonly id: string | null;
  /** HTTP status. A transport without one leaves it out: the error's code says the same. */
  readonly status: number;
  /** The response document. */
  readonly text: string;
  /** What the answer says of itself for those who read no bodies: names in small letters and values, in turn. */
  readonly headers: readonly string[];
}

/**
 * One request and the way back for its answer: all that the service knows of a transport. Whoever adds a transport
 * implements this, hands each request to `CallService.accept`, and passes the transport contract's tests.
 * Everything that writes does nothing once the client is gone.
 */
export interface Exchange {
  /** Reads the metadata beside the document, such as HTTP's headers. Undefined: the document's own `metadata` is it. */
  readonly header: HeaderReader | undefined;
  readonly remoteAddress: string | undefined;
  /**
   * Aborted by the transport when the client is gone before it has its answer, and by the service when that ends. Best
   * made when it is first asked for: a handler that answers at once needs none.
   */
  readonly abort: AbortController;
  /**
   * The request's document, as bytes, or as text where they are ASCII and the transport has made text of them already;
   * undefined when the client went away in the middle of it. Throws, or rejects with, the
   * `RpcError` that is the answer to what the transport itself refuses.
   */
  receive(maxBodyBytes: number): Soon<Buffer | string | undefined>;
  /**
   * Whether calls share a connection, so that an answer needs the id that tells whose it is: such a request is read
   * before it is refused, where that can be helped.
   */
  readonly isShared: boolean;
  /** Gets the request as soon as it is read. Throws or rejects as `receive` does. */
  identify?(request: ForrstRequest): Soon<void>;
  /** Sends the one answer, unless one was begun already. */
  send(answer: Answer): void;
  /** Whether an answer or a stream was begun. */
  isBegun(): boolean;
  /** Begins a stream, unless it was begun already. */
  beginStream(id: string): void;
  /** `data` is JSON text; `id`, if any, is what the client takes the stream up again by. */
  writeEvent(event: StreamEventName, data: string, id?: string): void;
  /** Shows the reader of a quiet stream that this end lives. */
  beat(): void;
  /** Sends the last event and nothing after it. */
  endStream(event: StreamEventName, data: string): void;
  /** Whether what was written waits for the reader; the next event is then held back (I8). */
  isFull(): boolean;
  /** Calls back once, when there is room again; what it returns takes the wish back. */
  whenFree(onFree: () => void): () => void;
  /** Breaks the answer off, so that the client sees it. */
  destroy(): void;
}
