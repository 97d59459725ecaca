import assert from "node:assert/strict";
import { test } from "node:test";
import { type RawPeer, rawClient, startRawServer } from "../raw-connection.ts";
import { comparable, comparableAnswers } from "./compare.ts";
import { caseTimeoutMs, patienceMs, type TransparencyOptions } from "./types.ts";

/** Who does what next. A wait is for a text among all that came so far, and makes what follows come after it. */
type Step =
  | { readonly client: string }
  | { readonly upstream: string }
  | { readonly clientSees: string }
  | { readonly upstreamSees: string }
  | { readonly end: "client" | "upstream" }
  | { readonly ended: "client" | "upstream" };

interface Conversation {
  readonly title: string;
  readonly steps: readonly Step[];
  /** The connection carries no HTTP after the first head of each side. */
  readonly upgrade?: boolean;
}

const post = (...lines: string[]): string => ["POST / HTTP/1.1", "Host: h", ...lines, "", ""].join("\r\n");
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const upgradeTo = (protocol: string): string =>
  `GET /up HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nX-End: 1\r\n\r\n`;
const switching = (protocol: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\nX-Last: 1\r\n\r\n`;
const everyOctet = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

/** What no client sends in one piece, or no upstream: texts are bytes (latin1). */
const conversations: readonly Conversation[] = [
  {
    title: "100 Continue, then the body",
    steps: [
      { client: post("Expect: 100-continue", "Content-Length: 5") },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 100 Continue\r\n\r\n" },
      { clientSees: "100 Continue\r\n\r\n" },
      { client: "body!" },
      { upstreamSees: "body!" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
    ],
  },
  {
    title: "100 Continue with lines of its own, then a chunked body",
    steps: [
      { client: post("Expect: 100-Continue", "Transfer-Encoding: chunked") },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 100 Go on\r\nX-Why: not\r\n\r\n" },
      { clientSees: "X-Why: not\r\n\r\n" },
      { client: "5\r\nbody!\r\n0\r\n\r\n" },
      { upstreamSees: "0\r\n\r\n" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
    ],
  },
  {
    title: "a body that does not wait for its 100 Continue",
    steps: [
      { client: `${post("Expect: 100-continue", "Content-Length: 5")}body!` },
      { upstreamSees: "body!" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
    ],
  },
  {
    title: "early hints twice, processing, then the answer",
    steps: [
      { client: post("Content-Length: 0") },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" },
      { clientSees: "</a>; rel=preload\r\n\r\n" },
      {
        upstream:
          "HTTP/1.1 103 Early Hints\r\nLink: </b>\r\nlink: </c>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
      },
      { clientSees: "102 Processing\r\n\r\n" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
    ],
  },
  {
    title: "an interim answer and the answer in one packet",
    steps: [
      { client: post("Content-Length: 0") },
      { upstreamSees: "\r\n\r\n" },
      { upstream: `HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n${ok}` },
      { clientSees: "\r\n\r\nok" },
    ],
  },
  {
    title: "an answer before the request's body is over, and then the rest of the body",
    steps: [
      { client: `${post("Content-Length: 10")}first` },
      { upstreamSees: "first" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
      { client: "other" },
      { upstreamSees: "firstother" },
    ],
  },
  {
    title: "an answer that begins before the request's body is over, and ends after it",
    steps: [
      { client: `${post("Transfer-Encoding: chunked")}3\r\nabc\r\n` },
      { upstreamSees: "3\r\nabc\r\n" },
      { upstream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nABC\r\n" },
      { clientSees: "3\r\nABC\r\n" },
      { client: "2\r\nde\r\n0\r\nX-T: 1\r\n\r\n" },
      { upstreamSees: "X-T: 1\r\n\r\n" },
      { upstream: "2\r\nDE\r\n0\r\nX-U: 2\r\n\r\n" },
      { clientSees: "X-U: 2\r\n\r\n" },
    ],
  },
  {
    title: "events, each when it is sent",
    steps: [
      { client: "GET /events HTTP/1.1\r\nHost: h\r\n\r\n" },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" },
      { clientSees: "chunked\r\n\r\n" },
      { upstream: "9\r\ndata: 1\n\n\r\n" },
      { clientSees: "data: 1\n\n\r\n" },
      { upstream: "9\r\ndata: 2" },
      { clientSees: "9\r\ndata: 2" },
      { upstream: "\n\n\r\n" },
      { clientSees: "data: 2\n\n\r\n" },
      { upstream: "0\r\n\r\n" },
      { clientSees: "0\r\n\r\n" },
    ],
  },
  {
    title: "a client that ends its side after the request",
    steps: [
      { client: "GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
      { end: "client" },
      { upstreamSees: "\r\n\r\n" },
      { upstream: ok },
      { clientSees: "\r\n\r\nok" },
      { end: "upstream" },
      { ended: "client" },
    ],
  },
  {
    title: "an answer until the end, in pieces",
    steps: [
      { client: "GET / HTTP/1.1\r\nHost: h\r\n\r\n" },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n" },
      { clientSees: "X-A: b\r\n" },
      { upstream: "one" },
      { clientSees: "one" },
      { upstream: "two" },
      { end: "upstream" },
      { clientSees: "onetwo" },
      { ended: "client" },
    ],
  },
  ...["x-echo", "websocket", "A/1.0, B", "tls/1.3"].flatMap((protocol): Conversation[] => [
    {
      title: `upgrade to ${protocol}, talk and end`,
      upgrade: true,
      steps: [
        { client: upgradeTo(protocol) },
        { upstreamSees: "\r\n\r\n" },
        { upstream: switching(protocol) },
        { clientSees: "X-Last: 1\r\n\r\n" },
        { client: `hello ${everyOctet}` },
        { upstreamSees: everyOctet },
        { upstream: `${everyOctet} there` },
        { clientSees: " there" },
        { end: "client" },
        { ended: "upstream" },
        { upstream: "last words" },
        { clientSees: "last words" },
        { end: "upstream" },
        { ended: "client" },
      ],
    },
    {
      title: `upgrade to ${protocol}, first words with each head, the upstream ends first`,
      upgrade: true,
      steps: [
        { client: `${upgradeTo(protocol)}early` },
        { upstreamSees: "\r\n\r\n" },
        { upstream: `${switching(protocol)}GET / HTTP/1.1\r\n\r\n` },
        { clientSees: "GET / HTTP/1.1\r\n\r\n" },
        { upstreamSees: "early" },
        { end: "upstream" },
        { ended: "client" },
        { client: "HTTP/1.1 200 OK\r\n\r\n" },
        { upstreamSees: "earlyHTTP/1.1 200 OK\r\n\r\n" },
        { end: "client" },
        { ended: "upstream" },
      ],
    },
  ]),
  {
    title: "an upgrade that is refused, and a request after it",
    steps: [
      { client: upgradeTo("x-echo") },
      { upstreamSees: "\r\n\r\n" },
      { upstream: "HTTP/1.1 426 No\r\nUpgrade: y\r\nContent-Length: 2\r\n\r\nno" },
      { clientSees: "\r\n\r\nno" },
    ],
  },
];

interface Transcript {
  readonly client: Buffer;
  readonly upstream: Buffer;
}

/** Plays the steps over one connection through `forward`, and gives what came to both ends. */
async function converse(
  { steps }: Conversation,
  forward: (upstreamPort: number) => Promise<AsyncDisposable & { readonly port: number }>,
): Promise<Transcript> {
  let accept: (peer: RawPeer) => void = () => {};
  const accepted = new Promise<RawPeer>((resolve) => {
    accept = resolve;
  });
  await using server = await startRawServer(async (peer) => {
    accept(peer);
    // The steps end it.
    await new Promise((resolve) => peer.socket.once("close", resolve));
  });
  await using forwarder = await forward(server.port);
  await using client = await rawClient(forwarder.port);
  const sideOf = async (side: "client" | "upstream"): Promise<RawPeer> =>
    side === "client" ? client : await accepted;
  for (const step of steps) {
    if ("client" in step) client.write(Buffer.from(step.client, "latin1"));
    else if ("upstream" in step) (await accepted).write(Buffer.from(step.upstream, "latin1"));
    else if ("clientSees" in step) await seen(client, step.clientSees);
    else if ("upstreamSees" in step) await seen(await accepted, step.upstreamSees);
    else if ("end" in step) (await sideOf(step.end)).end();
    else await (await sideOf(step.ended)).closed;
  }
  return { client: client.received, upstream: (await accepted).received };
}

const seen = (peer: RawPeer, text: string): Promise<Buffer> =>
  peer.waitFor((bytes) => bytes.includes(text, 0, "latin1"), patienceMs);

export function conversationCases(options: TransparencyOptions): void {
  for (const conversation of conversations) {
    test(`conversation: ${conversation.title}`, { timeout: caseTimeoutMs }, async () => {
      const straight = await converse(conversation, async (port) => ({
        port,
        [Symbol.asyncDispose]: async () => {},
      }));
      const through = await converse(conversation, (port) => options.start(port));
      const own = options.ownRequestHeaders ?? [];
      assert.deepEqual(comparable(through.upstream, own), comparable(straight.upstream, own));
      assert.deepEqual(comparableAnswers(through.client), comparableAnswers(straight.client));
      if (conversation.upgrade === true) {
        assert.match(through.upstream.toString("latin1"), /\r\nconnection: upgrade\r\n/i);
        assert.match(through.client.toString("latin1"), /\r\nconnection: upgrade\r\n/i);
      }
    });
  }
}
