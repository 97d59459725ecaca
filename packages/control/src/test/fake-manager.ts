import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createServer } from "@clew/rpc";
import { api, type TableWatch } from "../api.ts";
import type { PreviewEvent } from "../preview-types.ts";
import type { GatewayInfo, TableEvent } from "../types.ts";

/** A watch that a client has open: what is sent goes out in order. */
interface OpenWatch<Args, Event> {
  readonly args: Args;
  send(event: Event): void;
}

/** A manager of which only the watches are real; each one that opens is handed to the test. */
export interface FakeManager extends AsyncDisposable {
  readonly url: string;
  /** The next table watch that opens, or that opened and was not taken yet. */
  nextTableWatch(): Promise<OpenWatch<TableWatch, TableEvent>>;
  nextPreviewWatch(): Promise<OpenWatch<{ gateway: GatewayInfo }, PreviewEvent>>;
  /** As `kill -9` would: connections are reset and new ones refused. */
  stop(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
}

export async function startFakeManager(): Promise<FakeManager> {
  const tableWatches = new Queue<OpenWatch<TableWatch, TableEvent>>();
  const previewWatches = new Queue<OpenWatch<{ gateway: GatewayInfo }, PreviewEvent>>();
  const server = createServer({ service: "manager", checkResults: true, onContextFault: () => {} })
    .implementStream(api.tables.watch, (args, { signal }) => openWatch(args, tableWatches, signal))
    .implementStream(api.previews.watch, (args, { signal }) => openWatch(args, previewWatches, signal));
  let http = await listen((request, response) => server.handle(request, response), 0);
  const { port } = http.server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!http.server.listening) return;
    const closed = once(http.server, "close");
    http.server.close();
    for (const socket of http.sockets) socket.resetAndDestroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    nextTableWatch: () => tableWatches.take(),
    nextPreviewWatch: () => previewWatches.take(),
    stop,
    async restart() {
      http = await listen((request, response) => server.handle(request, response), port);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await server.close();
    },
  };
}

async function* openWatch<Args, Event>(
  args: Args,
  opened: Queue<OpenWatch<Args, Event>>,
  signal: AbortSignal,
): AsyncIterable<Event> {
  const events = new Queue<Event>();
  opened.put({ args, send: (event) => events.put(event) });
  while (!signal.aborted) yield await events.take();
}

type Handler = Parameters<typeof createHttpServer>[1];

async function listen(handler: Handler, port: number): Promise<{ server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createHttpServer(handler as never);
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { server, sockets };
}

/** Hands values from a side that puts to a side that waits. */
export class Queue<T> {
  readonly #values: T[] = [];
  readonly #waiting: Array<(value: T) => void> = [];

  put(value: T): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter(value);
  }

  take(): Promise<T> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift() as T);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
