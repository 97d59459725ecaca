import type { Socket } from "node:net";
import type { PreparedRequest } from "../client/prepare-request.ts";
import type { SendOptions, TransportAnswer } from "../client/transport.ts";
import { isJsonObject } from "../envelope/document.ts";
import { stringifyMarked } from "../envelope/large-integers.ts";
import { defaultEnvelopeLimits } from "../envelope/limits.ts";
import { withMetadata } from "../envelope/metadata.ts";
import { parseJson } from "../envelope/parse-json.ts";
import type { ServerSentEvent } from "../extensions/event-stream-parser.ts";
import { RpcError } from "../rpc-error.ts";
import { FrameReader, writeFrame } from "./frame-reader.ts";
import { writeSocketEvent } from "./unix-messages.ts";

/** Who waits for the frames of one call. */
interface Waiting {
  onFrame(payload: Buffer, event: ServerSentEvent | undefined): void;
  onEnd(cause: unknown): void;
}

/** Headers that say what the frame and the document say already. */
const framingHeaders: ReadonlySet<string> = new Set(["content-type", "content-length", "accept"]);

/** The client's end of one connection. */
export class UnixConnection {
  readonly #socket: Socket;
  readonly #waiting = new Map<string, Waiting>();
  #isClosing = false;

  constructor(socket: Socket, maxFrameBytes: number) {
    this.#socket = socket;
    const reader = new FrameReader(maxFrameBytes);
    socket.setMaxListeners(0);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if ("payload" in frame) this.#take(frame.payload);
        else this.#end(tooLarge(frame.tooLargeBytes));
      }
    });
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
    this.#rest();
  }

  get isUsable(): boolean {
    return !this.#isClosing && this.#socket.writable;
  }

  /** Calls under way go on. */
  close(): void {
    this.#isClosing = true;
    if (this.#waiting.size === 0) this.#socket.destroySoon();
  }

  send(request: PreparedRequest, { signal }: SendOptions, isOwn: boolean): Promise<TransportAnswer> {
    const { id, headers, body } = request;
    const metadata = Object.fromEntries(
      Object.entries(headers).filter(([name]) => !framingHeaders.has(name)),
    );
    return new Promise((resolve, reject) => {
      const queue = new FrameQueue(this.#socket, isOwn);
      const finish = (): void => {
        signal.removeEventListener("abort", onAbort);
        this.#waiting.delete(id);
        if (isOwn || this.#isClosing) this.close();
        this.#rest();
      };
      const onAbort = (): void => {
        if (this.#socket.writable) this.#socket.write(writeFrame(writeSocketEvent(id, "cancel")));
        queue.end(signal.reason);
        finish();
        reject(signal.reason);
      };
      this.#waiting.set(id, {
        onFrame(payload, event) {
          if (event === undefined) {
            finish();
            resolve({ kind: "document", status: undefined, contentType: undefined, chunks: one(payload) });
            return;
          }
          queue.push(event.event === "alive" ? [] : [event]);
          resolve({ kind: "events", batches: queue });
          if (event.event === "complete" || event.event === "error") {
            queue.end(undefined);
            finish();
          }
        },
        onEnd(cause) {
          signal.removeEventListener("abort", onAbort);
          queue.end(cause);
          reject(cause);
        },
      });
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) return onAbort();
      this.#rest();
      this.#socket.write(writeFrame(withMetadata(metadata, body.toString())));
    });
  }

  #take(payload: Buffer): void {
    const { id, event } = readFrame(payload);
    const waiting = id === undefined ? this.#only() : this.#waiting.get(id);
    // Of a call that was cancelled meanwhile: nobody waits for it.
    if (waiting !== undefined) waiting.onFrame(payload, event);
    else if (id === undefined) this.#end(new Error("the server answered without saying whom"));
  }

  /** A server that could not read a request cannot say which it was; so only if there is but one. */
  #only(): Waiting | undefined {
    return this.#waiting.size === 1 ? this.#waiting.values().next().value : undefined;
  }

  #end(cause: unknown): void {
    this.#isClosing = true;
    this.#socket.destroy();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { onEnd } of waiting) onEnd(cause);
  }

  /** A connection on which nobody waits keeps no process alive. */
  #rest(): void {
    if (this.#waiting.size === 0) this.#socket.unref();
    else this.#socket.ref();
  }
}

function readFrame(payload: Buffer): {
  readonly id: string | undefined;
  readonly event: ServerSentEvent | undefined;
} {
  const json = parseJson(payload, defaultEnvelopeLimits.maxDepth);
  if (!json.ok || !isJsonObject(json.value)) return { id: undefined, event: undefined };
  const { id, event, data, event_id: eventId } = isJsonObject(json.marked) ? json.marked : json.value;
  return {
    id: typeof id === "string" ? id : undefined,
    event:
      typeof event === "string"
        ? {
            event,
            data: stringifyMarked(data ?? null),
            id: typeof eventId === "string" ? eventId : undefined,
          }
        : undefined,
  };
}

function tooLarge(bytes: number): RpcError {
  return new RpcError("E_RPC_RESPONSE_TOO_LARGE", `the server sent a frame of ${bytes} bytes`);
}

async function* one(payload: Buffer): AsyncGenerator<Buffer> {
  yield payload;
}

/** Events that wait to be read. A connection of one's own is not read while some wait (I8). */
class FrameQueue implements AsyncIterator<readonly ServerSentEvent[]> {
  readonly #socket: Socket;
  readonly #isOwn: boolean;
  #batches: (readonly ServerSentEvent[])[] = [];
  #ended: { readonly cause: unknown } | undefined;
  #wake: () => void = () => {};

  constructor(socket: Socket, isOwn: boolean) {
    this.#socket = socket;
    this.#isOwn = isOwn;
  }

  push(batch: readonly ServerSentEvent[]): void {
    this.#batches.push(batch);
    if (this.#isOwn) this.#socket.pause();
    this.#wake();
  }

  /** What waits is still read; then the iteration throws `cause`, if there is one. */
  end(cause: unknown): void {
    this.#ended ??= { cause };
    this.#wake();
  }

  async next(): Promise<IteratorResult<readonly ServerSentEvent[], undefined>> {
    for (;;) {
      const batch = this.#batches.shift();
      if (batch !== undefined) return { done: false, value: batch };
      if (this.#ended !== undefined) {
        if (this.#ended.cause !== undefined) throw this.#ended.cause;
        return { done: true, value: undefined };
      }
      this.#socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
