import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** One end of a connection, seen and written as plain bytes: what an HTTP library would hide. */
export interface RawPeer extends AsyncDisposable {
  readonly socket: Socket;
  /** All bytes that came so far. */
  readonly received: Buffer;
  /**
   * Resolves once the other side has ended or broken the connection; `error` tells the second, but not always: Node 20
   * (libuv before 1.48) reports a reset that comes after data as an ordinary end. Judge by the message's framing.
   */
  readonly closed: Promise<{ readonly error: Error | undefined }>;
  write(bytes: string | Uint8Array): void;
  /** Writes pieces cut at these offsets, each as a packet of its own (as far as loopback lets one choose). */
  writeCut(bytes: string | Uint8Array, cuts: readonly number[]): Promise<void>;
  /** Waits until what came so far holds this text (or fulfils this test), and returns all of it. Rejects when no more can come. */
  waitFor(text: string | ((received: Buffer) => boolean), timeoutMs?: number): Promise<Buffer>;
  end(): void;
  /** Breaks the connection with a reset. */
  reset(): void;
}

/** Connects. Does not end its side by itself when the other ends. */
export async function rawClient(port: number, host = "127.0.0.1"): Promise<RawPeer> {
  const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
  await once(socket, "connect");
  return peerOf(socket);
}

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Every connection so far, in order. */
  readonly peers: readonly RawPeer[];
}

/** A server whose side of each connection (counted from 0) is played by `serve`. What `serve` throws breaks its connection. */
export async function startRawServer(
  serve: (peer: RawPeer, index: number) => Promise<void> | void,
): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, async (socket) => {
    const peer = peerOf(socket);
    peers.push(peer);
    try {
      await serve(peer, peers.length - 1);
    } catch {
      // Safe: the test sees a broken connection, and fails where it looks.
      socket.destroy();
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const { socket } of peers) socket.destroy();
      await closed;
    },
  };
}

function peerOf(socket: Socket): RawPeer {
  const pieces: Buffer[] = [];
  let failure: Error | undefined;
  socket.on("data", (bytes: Buffer) => pieces.push(bytes));
  socket.on("error", (error) => {
    failure = error;
  });
  const closed = new Promise<{ error: Error | undefined }>((resolve) => {
    socket.once("end", () => resolve({ error: undefined }));
    socket.once("close", () => resolve({ error: failure }));
  });
  const received = (): Buffer => Buffer.concat(pieces);
  return {
    socket,
    get received() {
      return received();
    },
    closed,
    write: (bytes) => void socket.write(bytes),
    writeCut: (bytes, cuts) => writeCut(socket, bytes, cuts),
    waitFor: (text, timeoutMs) => waitFor(socket, received, text, timeoutMs),
    end: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    [Symbol.asyncDispose]: async () => {
      if (socket.closed) return;
      socket.destroy();
      await once(socket, "close");
    },
  };
}

/**
 * Writes bytes and returns all that came until the other side ended the connection. Ask for `connection: close`.
 * Resolves as well when it was broken off in the middle: judge by the framing (see {@link RawPeer.closed}).
 */
export async function rawExchange(port: number, bytes: string | Uint8Array): Promise<Buffer> {
  await using client = await rawClient(port);
  client.write(bytes);
  await client.closed;
  return client.received;
}

function waitFor(
  socket: Socket,
  received: () => Buffer,
  text: string | ((received: Buffer) => boolean),
  timeoutMs = 5_000,
): Promise<Buffer> {
  const isThere = typeof text === "string" ? () => received().includes(text) : () => text(received());
  return new Promise((resolve, reject) => {
    const settle = (why?: string): void => {
      if (why === undefined && !isThere()) return;
      clearTimeout(timer);
      socket.off("data", look).off("end", ended).off("close", ended);
      const came = JSON.stringify(received().toString("latin1").slice(0, 2_000));
      if (isThere()) resolve(received());
      else reject(new Error(`${why} and ${text} did not come, but ${came}`));
    };
    const look = (): void => settle();
    const ended = (): void => settle("the connection ended");
    const timer = setTimeout(settle, timeoutMs, `${timeoutMs} ms passed`);
    socket.on("data", look).on("end", ended).on("close", ended);
    if (socket.readableEnded || socket.destroyed) ended();
    else look();
  });
}

async function writeCut(socket: Socket, bytes: string | Uint8Array, cuts: readonly number[]): Promise<void> {
  const all = Buffer.from(bytes);
  const edges = [0, ...[...cuts].sort((a, b) => a - b), all.length];
  for (const [index, from] of edges.slice(0, -1).entries()) {
    const piece = all.subarray(from, edges[index + 1]);
    if (piece.length === 0) continue;
    await new Promise((resolve) => socket.write(piece, resolve));
    // The kernel has it; a turn of the loop lets a receiver in this process read it by itself.
    await new Promise(setImmediate);
  }
}
