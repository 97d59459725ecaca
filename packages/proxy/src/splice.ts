import { breakOff } from "./break-off.ts";
import type { ClientConnection } from "./client-connection.ts";
import type { UpstreamConnection } from "./upstream-connection.ts";

/**
 * Joins a client's connection and its upstream's until both directions have ended: after an upgrade. An end passes on as an end
 * (half-close), a break as a break. `over` is told the side that broke off, or undefined when both ended in order.
 */
export class Splice {
  readonly #client: ClientConnection;
  readonly #connection: UpstreamConnection;
  readonly #over: (broken: "client" | "upstream" | undefined) => void;
  #isOver = false;

  constructor(
    client: ClientConnection,
    connection: UpstreamConnection,
    over: (broken: "client" | "upstream" | undefined) => void,
  ) {
    this.#client = client;
    this.#connection = connection;
    this.#over = over;
  }

  /** Passes on what the client has sent meanwhile. */
  start(): void {
    const waiting = this.#client.takePending();
    if (waiting !== undefined) this.clientRead(waiting);
    if (!this.#connection.pipe.mustWait) this.#client.resume();
    if (this.#client.hasEnded) this.clientEnded();
  }

  clientRead(bytes: Buffer): void {
    const { pipe } = this.#connection;
    pipe.write(bytes);
    if (pipe.mustWait) this.#client.pause();
  }

  upstreamFlushed(): void {
    this.#client.resume();
  }

  upstreamRead(bytes: Buffer, length: number): void {
    const { pipe } = this.#connection;
    this.#client.write(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (this.#client.mustWait) pipe.hold();
  }

  clientFlushed(): void {
    this.#connection.pipe.release();
  }

  clientEnded(): void {
    this.#connection.pipe.end();
  }

  upstreamEnded(): void {
    this.#client.socket.end();
  }

  clientClosed(isOrderly: boolean): void {
    const { stream } = this.#connection.pipe;
    if (!isOrderly) {
      this.#end("client");
      breakOff(stream);
    } else if (stream.destroyed) this.#end(undefined);
  }

  upstreamLost(isOrderly: boolean): void {
    const { socket } = this.#client;
    if (!isOrderly) {
      this.#end("upstream");
      breakOff(socket);
    } else if (socket.destroyed) this.#end(undefined);
  }

  #end(broken: "client" | "upstream" | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#over(broken);
  }
}
