import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ForrstRequest, JsonObject } from "../envelope/document.ts";
import { metadataReader } from "../envelope/metadata.ts";
import { RpcError } from "../rpc-error.ts";
import type { Answer, Exchange, StreamEventName } from "../server/exchange.ts";
import type { ServerOptions } from "../server/server-options.ts";
import type { Soon } from "../when-ready.ts";
import { writeFrame } from "./frame-reader.ts";
import { writeSocketEvent } from "./unix-messages.ts";

/** One call on a connection that it shares with others. */
export class FrameExchange implements Exchange {
  readonly header: undefined;
  readonly remoteAddress: undefined;
  readonly isShared = true;
  readonly #socket: Socket;
  readonly #payload: Buffer;
  readonly #admit: ServerOptions["admit"];
  readonly #onEnd: () => void;
  #id: string | undefined;
  #isBegun = false;
  #isGone = false;
  #abort: AbortController | undefined;

  /** `onEnd` is called once, when the last frame was written. */
  constructor(socket: Socket, payload: Buffer, admit: ServerOptions["admit"], onEnd: () => void) {
    this.#socket = socket;
    this.#payload = payload;
    this.#admit = admit;
    this.#onEnd = onEnd;
  }

  /** The connection refuses what is too large before there is an exchange. */
  receive(): Buffer {
    return this.#payload;
  }

  identify({ id, metadata }: ForrstRequest): Soon<void> {
    this.#id = id;
    return this.#admit?.(asHttpRequest(this.#socket, metadata));
  }

  get abort(): AbortController {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isGone) this.#abort.abort(clientGone());
    }
    return this.#abort;
  }

  get id(): string | undefined {
    return this.#id;
  }

  send({ text }: Answer): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#write(text);
    this.#onEnd();
  }

  isBegun(): boolean {
    return this.#isBegun;
  }

  beginStream(): void {
    this.#isBegun = true;
  }

  writeEvent(event: StreamEventName, data: string, eventId?: string): void {
    this.#write(writeSocketEvent(this.#id as string, event, data, eventId));
  }

  beat(): void {
    this.#write(writeSocketEvent(this.#id as string, "alive"));
  }

  endStream(event: StreamEventName, data: string): void {
    this.writeEvent(event, data);
    this.#onEnd();
  }

  isFull(): boolean {
    return this.#socket.writableNeedDrain;
  }

  whenFree(onFree: () => void): () => void {
    this.#socket.once("drain", onFree);
    return () => this.#socket.off("drain", onFree);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The client cancelled this call, or is gone. */
  cancel(): void {
    this.#isGone = true;
    if (this.#abort?.signal.aborted === false) this.#abort.abort(clientGone());
  }

  #write(text: string): void {
    if (this.#socket.writable) this.#socket.write(writeFrame(text));
  }
}

function clientGone(): RpcError {
  return new RpcError("UNAVAILABLE", "the client went away");
}

/** As much of a request over HTTP as `admit` may look at: the headers, from the document's metadata. */
function asHttpRequest(socket: Socket, metadata: JsonObject = {}): IncomingMessage {
  const read = metadataReader(metadata);
  const headers = Object.fromEntries(Object.keys(metadata).map((name) => [name, read(name)]));
  return { method: "POST", headers, socket } as unknown as IncomingMessage;
}
