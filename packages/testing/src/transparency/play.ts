import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { MessageStream, writeCut } from "./message-stream.ts";
import type { Exchange, Record } from "./types.ts";

/** Names an exchange to the upstream, on whichever connection it comes. */
export const exchangeHeader = "X-Exchange";

/** Where answers are cut into packets; by default not at all. */
type Cuts = readonly number[];

export interface PlayedUpstream extends AsyncDisposable {
  readonly port: number;
  /** Connections open now. */
  readonly open: number;
  /** What came of each request, by the exchange's number; taken out by whoever reads it. */
  readonly requests: Map<number, Buffer>;
  /** Cuts of the answers from now on. */
  answerCuts: Cuts;
}

/** A bare server that answers each request by the number of its exchange. */
export async function startPlayedUpstream(
  exchangeOf: (number: number) => Exchange | undefined,
): Promise<PlayedUpstream> {
  const sockets = new Set<Socket>();
  const requests = new Map<number, Buffer>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void serve(socket);
  });
  const serve = async (socket: Socket): Promise<void> => {
    const stream = new MessageStream(socket);
    for (;;) {
      const next = await stream.next();
      if (next === undefined) break;
      const line = next.message.headers.find(([name]) => name === exchangeHeader);
      const exchange = exchangeOf(Number(line?.[1]));
      if (exchange === undefined) break;
      requests.set(Number(line?.[1]), next.bytes);
      await writeCut(socket, exchange.answer, upstream.answerCuts);
      if (exchange.endsConnection || exchange.isLast) break;
    }
    socket.end();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const upstream: PlayedUpstream = {
    port: (server.address() as AddressInfo).port,
    get open() {
      return sockets.size;
    },
    requests,
    answerCuts: [],
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
  return upstream;
}

/** A client's connection that is kept from one exchange to the next, and made anew when one has ended it. */
export class PlayedClient implements AsyncDisposable {
  readonly #port: number;
  #stream: MessageStream | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** Sends a request, in packets cut at these offsets, and takes its answers. */
  async play(exchange: Exchange, cuts: Cuts = []): Promise<Buffer> {
    const [answer] = await this.playAll([exchange], cuts);
    return answer as Buffer;
  }

  /** Sends all requests at once (pipelining), and takes their answers. */
  async playAll(exchanges: readonly Exchange[], cuts: Cuts = []): Promise<Buffer[]> {
    if (this.#stream?.ended !== false) this.#stream = await this.#connect();
    const stream = this.#stream;
    const sent = writeCut(stream.socket, Buffer.concat(exchanges.map(({ request }) => request)), cuts);
    const answers: Buffer[] = [];
    for (const exchange of exchanges) answers.push(await answerOf(exchange, stream));
    await sent;
    // An answer's close is for its hop: who forwards it may keep ours. Our own is for both.
    if (exchanges.some(asksToClose)) await stream.whenEnded();
    if (exchanges.some(({ isLast, endsConnection }) => isLast || endsConnection)) await this.#close();
    return answers;
  }

  async #connect(): Promise<MessageStream> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new MessageStream(socket);
  }

  async #close(): Promise<void> {
    const socket = this.#stream?.socket;
    this.#stream = undefined;
    if (socket === undefined || socket.closed) return;
    socket.destroy();
    await once(socket, "close");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

function asksToClose({ request }: Exchange): boolean {
  const head = request.subarray(0, request.indexOf("\r\n\r\n")).toString("latin1");
  return /^[^\r\n]* HTTP\/1\.0\r\n|\r\nconnection:[^\r\n]*close/i.test(head);
}

async function answerOf({ request, title }: Exchange, stream: MessageStream): Promise<Buffer> {
  const method = request.subarray(0, request.indexOf(" ")).toString("latin1");
  const pieces: Buffer[] = [];
  for (;;) {
    const next = await stream.next({ method });
    if (next === undefined) {
      const came = Buffer.concat([...pieces, stream.held])
        .toString("latin1")
        .slice(0, 2_000);
      throw new Error(`no whole answer to ${title}, but ${JSON.stringify(came)}`);
    }
    pieces.push(next.bytes);
    if (!/^HTTP\/1\.. 1/.test(next.message.startLine)) return Buffer.concat(pieces);
  }
}

/** Plays one exchange and takes what came at both ends. */
export async function recordOf(
  exchange: Exchange,
  number: number,
  client: PlayedClient,
  upstream: PlayedUpstream,
  cuts: Cuts = [],
): Promise<Record> {
  const answer = await client.play(exchange, cuts);
  const request = upstream.requests.get(number);
  if (request === undefined) throw new Error(`${exchange.title} never came to the upstream`);
  upstream.requests.delete(number);
  return { request, answer };
}
