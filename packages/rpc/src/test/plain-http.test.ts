import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { type RawPeer, rawClient, until } from "@clew/testing";
import { RpcError } from "../rpc-error.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import { type Listener, listen } from "../transports/listen.ts";
import { anything, deferred } from "./fixtures.ts";

function serve(handler: (args: unknown) => unknown = (args) => args): ForrstServer {
  const common = { version: "1.0.0", arguments: anything, result: anything };
  return createServer({ service: "a", onContextFault: () => {}, limits: { maxBodyBytes: 20_000 } }).function(
    "a.echo",
    { ...common, handler },
  );
}

const portOf = ({ url }: Listener): number => Number(new URL(url).port);

function bodyOf(id: string, args: object = {}): string {
  const call = { function: "a.echo", arguments: args };
  return JSON.stringify({ protocol: { name: "forrst", version: "0.1.0" }, id, call });
}

function requestOf(id: string, { args = {}, more = "", line = "POST /forrst HTTP/1.1" } = {}): string {
  const body = bodyOf(id, args);
  const length = `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${line}\r\nhost: x\r\ncontent-type: application/json\r\n${length}${more}\r\n${body}`;
}

const idsIn = (text: string): string[] => [...text.matchAll(/"id":"([^"]*)"/g)].map(([, id]) => id ?? "");

/** What came in the end, as text, when the answer with this id is there. */
async function answers(peer: RawPeer, lastId: string): Promise<string> {
  return (await peer.waitFor(`"id":"${lastId}"`)).toString();
}

test("an answer is a whole HTTP/1.1 message, in one write, that names date, length and how long the connection is kept", async () => {
  await using service = await listen(serve());
  await using peer = await rawClient(portOf(service));
  peer.write(requestOf("1", { args: { text: "ü€😀" } }));
  const text = await answers(peer, "1");
  const [head = "", body = ""] = text.split("\r\n\r\n");
  assert.match(head, /^HTTP\/1\.1 200 OK\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
  assert.match(head, /\r\nconnection: keep-alive\r\nkeep-alive: timeout=5\r\n/);
  assert.match(head, /\r\ncontent-type: application\/json\r\n/);
  assert.match(head, /\r\nx-forrst-request-id: 1$/);
  assert.equal(Number(/content-length: (\d+)/.exec(head)?.[1]), Buffer.byteLength(body));
  assert.deepEqual((JSON.parse(body) as { result: unknown }).result, { text: "ü€😀" });
});

test("requests that come at once are answered in order, also when the first takes longest", async () => {
  const gate = deferred();
  await using service = await listen(
    serve((args) => ((args as { slow?: boolean }).slow === true ? gate.promise : null)),
  );
  await using peer = await rawClient(portOf(service));
  peer.write(requestOf("1", { args: { slow: true } }) + requestOf("2") + requestOf("3"));
  peer.write(requestOf("4"));
  gate.resolve();
  assert.deepEqual(idsIn(await answers(peer, "4")), ["1", "2", "3", "4"]);
});

test("what is cut anywhere, or unusual in any way, is answered by Node's own parser, and so is all that follows it", async () => {
  await using service = await listen(serve());
  const whole = requestOf("1");
  const headEnd = whole.indexOf("\r\n\r\n");
  for (const cut of [1, 20, headEnd, headEnd + 2, headEnd + 4, whole.length - 1]) {
    await using peer = await rawClient(portOf(service));
    await peer.writeCut(requestOf("0") + whole + requestOf("2"), [requestOf("0").length + cut]);
    assert.deepEqual(idsIn(await answers(peer, "2")), ["0", "1", "2"], `cut at ${cut}`);
  }
  const body = bodyOf("1");
  const chunked = `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const charset = requestOf("1").replace("application/json", "application/json; charset=utf-8");
  for (const unusual of [chunked, charset, requestOf("1", { more: `x-long: ${"a".repeat(9_000)}\r\n` })]) {
    await using peer = await rawClient(portOf(service));
    peer.write(requestOf("0") + unusual + requestOf("2"));
    assert.deepEqual(idsIn(await answers(peer, "2")), ["0", "1", "2"], unusual.slice(0, 120));
  }
});

test("two lengths, a length beside a transfer coding, a folded line or a control character are refused, as Node does", async () => {
  await using service = await listen(serve());
  const faults = [
    "content-length: 5\r\n",
    "transfer-encoding: chunked\r\n",
    "x-a: 1\r\n folded\r\n",
    "x-a: a\u0000b\r\n",
    "x-a : 1\r\n",
    ": 1\r\n",
    "x-a: 1\n",
  ];
  for (const more of faults) {
    await using peer = await rawClient(portOf(service));
    peer.write(requestOf("1", { more }));
    await peer.closed;
    assert.match(peer.received.toString(), /^HTTP\/1\.1 400 /, JSON.stringify(more));
    assert.equal(peer.received.toString().includes('"result"'), false);
  }
});

test("a method, a version or a size that is none of the plain ones gets the answer that it gets elsewhere", async () => {
  await using service = await listen(serve());
  const cases: [string, RegExp][] = [
    [requestOf("1", { line: "GET /forrst HTTP/1.1" }), /^HTTP\/1\.1 405 /],
    [requestOf("1", { line: "POST /forrst HTTP/1.0" }), /^HTTP\/1\.1 200 .*connection: close/is],
    [requestOf("1", { args: { a: "x".repeat(20_000) } }), /^HTTP\/1\.1 413 /],
    [requestOf("1").replace("host: x\r\n", ""), /^HTTP\/1\.1 400 /],
    [requestOf("1", { more: "connection: close\r\n" }), /^HTTP\/1\.1 200 .*connection: close/is],
    [requestOf("1", { more: "expect: 100-continue\r\n" }), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /],
  ];
  for (const [bytes, expected] of cases) {
    await using peer = await rawClient(portOf(service));
    peer.write(bytes);
    await peer.waitFor((received) => expected.test(received.toString()));
  }
});

test("a header that came twice is not taken for one that holds a comma", async () => {
  const callers: unknown[] = [];
  const server = createServer({ service: "a", onContextFault: () => {} }).function("a.echo", {
    version: "1.0.0",
    arguments: anything,
    result: anything,
    handler: (_, call) => callers.push(call.context.caller),
  });
  await using service = await listen(server);
  await using peer = await rawClient(portOf(service));
  const twice = "x-forrst-caller: b\r\nX-Forrst-Caller: c\r\n";
  peer.write(requestOf("1", { more: twice }) + requestOf("2", { more: "x-forrst-caller: b\r\n" }));
  await answers(peer, "2");
  assert.deepEqual(callers, [undefined, "b"]);
});

test("a client that reads no answers is read no further (I8)", async () => {
  let calls = 0;
  await using service = await listen(
    serve(() => {
      calls++;
      return "x".repeat(100_000);
    }),
  );
  await using peer = await rawClient(portOf(service));
  peer.socket.pause();
  const many = requestOf("1").repeat(200);
  for (let i = 0; i < 50; i++) peer.socket.write(many);
  let before = -1;
  // Until no more calls come: kernel buffers hold some megabytes of answers, and all of them would be a thousand.
  await until(() => {
    const isQuiet = before === calls;
    before = calls;
    return isQuiet && calls > 0;
  });
  assert.ok(calls < 1_000, `${calls} calls were answered that nobody read`);
});

test("where somebody watches Node's own server, every request goes through it", async () => {
  let seen = 0;
  const count = (): void => void seen++;
  channel("http.server.request.start").subscribe(count);
  await using service = await listen(serve());
  await using peer = await rawClient(portOf(service));
  peer.write(requestOf("1") + requestOf("2"));
  await answers(peer, "2");
  channel("http.server.request.start").unsubscribe(count);
  assert.equal(seen, 2);
});

test("`admit` gets Node's request", async () => {
  const urls: unknown[] = [];
  const admit = ({ url, httpVersion }: IncomingMessage): void => void urls.push(`${url} ${httpVersion}`);
  const server = createServer({ service: "a", onContextFault: () => {}, admit });
  await using service = await listen(server);
  await using peer = await rawClient(portOf(service));
  peer.write(requestOf("1"));
  await answers(peer, "1");
  assert.deepEqual(urls, ["/forrst 1.1"]);
});

test("a handler's status that no answer can have is an internal error, and the connection goes on", async () => {
  await using service = await listen(
    serve((args) => {
      const { status } = args as { status?: number };
      if (status !== undefined) throw new RpcError("E_TEST", "odd", { status });
      return null;
    }),
  );
  await using peer = await rawClient(portOf(service));
  for (const status of [204, 304, 42, 1_000]) peer.write(requestOf(String(status), { args: { status } }));
  peer.write(requestOf("last"));
  const text = await answers(peer, "last");
  assert.equal(text.match(/HTTP\/1\.1 500 /g)?.length, 4);
  assert.deepEqual(idsIn(text), ["204", "304", "42", "1000", "last"]);
});

test("closing ends idle connections that are kept", async () => {
  await using service = await listen(serve());
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const call = request({
    port: portOf(service),
    host: "127.0.0.1",
    agent,
    method: "POST",
    headers: { "content-type": "application/json" },
  });
  call.end(bodyOf("1"));
  const [response] = (await once(call, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  await service.close();
  agent.destroy();
});
