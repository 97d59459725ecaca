import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { Transform } from "node:stream";
import { test } from "node:test";
import { rawClient, rawExchange, startRawServer, startUpstream } from "@clew/testing";
import { type AnswerHead, startProxy, tcpUpstream } from "../index.ts";
import { answering, exchange, get, messageOf, proxyTo } from "./fixture.ts";

const answer = (...lines: string[]): string => ["HTTP/1.1 200 OK", ...lines].join("\r\n");
const whole = answer("Content-Length: 5", "ETag: x", "", "hello");
const chunked = answer("Transfer-Encoding: chunked", "Trailer: T", "", "5\r\nhello\r\n0\r\nT: 1\r\n\r\n");
const untilClose = answer("", "hello");

function louder(): Transform {
  return new Transform({
    transform: (bytes: Buffer, _, done) => done(null, bytes.toString().toUpperCase()),
    flush: (done) => done(null, "!"),
  });
}

for (const [name, bytes] of Object.entries({ whole, chunked, untilClose })) {
  test(`a filtered body of an answer that is ${name} is chunked anew, without length or trailers`, async () => {
    await using upstream = await startRawServer(async (peer) => {
      await peer.waitFor("\r\n\r\n");
      peer.write(bytes);
      peer.end();
    });
    await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody: louder } });
    const { head, body } = await exchange(proxy.port, get());
    assert.doesNotMatch(head, /content-length|trailer/i);
    assert.match(head, /transfer-encoding: chunked/i);
    assert.equal(body.replace(/(?:^|\r\n)[0-9a-f]+\r\n|\r\n/g, ""), "HELLO!");
    assert.ok(body.endsWith("0\r\n\r\n"), body);
  });
}

test("an HTTP/1.0 client gets a filtered body up to the connection's end", async () => {
  await using upstream = await startRawServer(answering(whole));
  await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody: louder } });
  const { head, body } = await exchange(proxy.port, "GET / HTTP/1.0\r\nHost: h\r\n\r\n");
  assert.doesNotMatch(head, /content-length|transfer-encoding/i);
  assert.equal(body, "HELLO!");
});

test("a filter is asked for with the answer's lines, and not where there is no body", async () => {
  const asked: AnswerHead[] = [];
  await using upstream = await startRawServer(answering(whole));
  await using proxy = await proxyTo({
    to: upstream.port,
    plan: { filterBody: (head) => void asked.push(head), responseHeaders: (head) => void asked.push(head) },
  });
  assert.equal((await exchange(proxy.port, get())).body, "hello");
  const expected = { status: 200, fellBack: false, rawHeaders: ["Content-Length", "5", "ETag", "x"] };
  assert.deepEqual(asked, [expected, expected]);
  asked.length = 0;
  await rawExchange(proxy.port, "HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  assert.equal(asked.length, 1);
});

test("a filter that fails breaks the answer off; the proxy serves on", async () => {
  let fails = true;
  const failing = (): Transform | undefined =>
    fails ? new Transform({ transform: (_bytes, _encoding, done) => done(new Error("no")) }) : undefined;
  await using upstream = await startRawServer(answering(whole));
  await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody: failing } });
  const { body } = await exchange(proxy.port, get());
  assert.equal(body, "", "no last chunk: it does not look whole");
  fails = false;
  assert.equal((await exchange(proxy.port, get())).body, "hello");
});

test("an answer that breaks off in its middle, and a client that leaves, end the filter", async () => {
  const filters: Transform[] = [];
  const filterBody = (): Transform => {
    const filter = louder();
    filters.push(filter);
    return filter;
  };
  await using upstream = await startUpstream({ fault: "reset-mid-body" });
  await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody } });
  const bytes = await rawExchange(proxy.port, get());
  assert.ok(!bytes.toString().endsWith("0\r\n\r\n"));
  await using held = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write(answer("Content-Length: 10", "", "hello"));
  });
  await using waiting = await proxyTo({ to: held.port, plan: { filterBody } });
  const client = await rawClient(waiting.port);
  client.write(get());
  await client.waitFor("HELLO");
  const closed = once(filters[1] as Transform, "close");
  client.reset();
  await closed;
  assert.equal(filters[0]?.destroyed, true);
});

test("an HTTP/1.0 client sees a break, and no end, where a filtered body breaks off", async () => {
  await using upstream = await startUpstream({ fault: "reset-mid-body" });
  await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody: louder } });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
  const { error } = await client.closed;
  assert.equal(proxy.outcomes[0]?.broken, "upstream");
  // Node 20 reports a reset after data as an ordinary end; see RawPeer.closed.
  if (!process.versions.node.startsWith("20.")) assert.match(String(error), /ECONNRESET/);
});

test("a filtered answer that came whole is passed on whole, though its upstream took only half of the request", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("half");
    peer.write(answer("Connection: close", "Content-Length: 5", "", "hello"));
    peer.end();
  });
  let finish = (): void => {};
  const slow = (): Transform =>
    new Transform({
      transform: (bytes: Buffer, _, done) => done(null, bytes),
      flush: (done) => {
        finish = () => done(null, "!");
      },
    });
  await using proxy = await proxyTo({ to: upstream.port, plan: { filterBody: slow } });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
  await client.waitFor("hello");
  await upstream.peers[0]?.closed;
  finish();
  assert.ok((await client.waitFor("!\r\n0\r\n\r\n")).includes("hello"));
});

test("connections may come from a server that listens already; closing drains and closes it", async () => {
  await using upstream = await startUpstream();
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const remotePorts: unknown[] = [];
  const proxy = await startProxy({
    listen: { server },
    route: ({ connection }) => {
      remotePorts.push("remotePort" in connection && connection.remotePort);
      return { upstream: tcpUpstream("127.0.0.1", upstream.port) };
    },
  });
  await using client = await rawClient(proxy.address.port);
  client.write(get());
  await client.closed;
  assert.equal(messageOf(client.received).status, 200);
  assert.deepEqual(remotePorts, [client.socket.localPort]);
  await using idle = await rawClient(proxy.address.port);
  await proxy.close();
  await idle.closed;
  assert.equal(server.listening, false);
});
