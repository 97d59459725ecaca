import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { rawClient, rawExchange } from "@clew/testing";
import { sniffHttp2 } from "./sniff-http2.ts";
import { type ListeningServer, listen } from "./test/tunnel-world.ts";

let shared: ListeningServer;
const kinds: string[] = [];
const sniffTimeoutMs = 300;

before(async () => {
  const http1 = createHttpServer((request, answer) => void text(request).then((body) => answer.end(body)));
  const http2 = createHttp2Server();
  http2.on("stream", (stream) => {
    stream.respond();
    stream.pipe(stream);
  });
  shared = await listen(
    createServer({ allowHalfOpen: true }, async (socket: Socket) => {
      const kind = await sniffHttp2(socket, sniffTimeoutMs);
      kinds.push(kind);
      if (kind === "http1") http1.emit("connection", socket);
      if (kind === "http2") http2.emit("connection", socket);
    }),
  );
});

after(() => shared.close());

const head = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nconnection: close\r\n\r\n";

test("an HTTP/1.1 request is served, however it is cut into packets", async () => {
  for (const step of [1, 2, 3, 7, 1_000]) {
    await using client = await rawClient(shared.port);
    const bytes = `${head}hello`;
    const cuts = Array.from({ length: Math.floor(bytes.length / step) }, (_, index) => index * step);
    await client.writeCut(bytes, cuts);
    await client.closed;
    assert.match(client.received.toString(), /^HTTP\/1.1 200 OK.*hello$/s);
  }
});

test("a method that begins like HTTP/2's preface is HTTP/1.1", async () => {
  const answer = await rawExchange(shared.port, "PRI /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  assert.match(answer.toString(), /^HTTP\/1.1 400/);
});

test("an HTTP/2 connection is served with its first bytes, however they are cut", async () => {
  for (const step of [1, 5, 24, 1_000]) {
    const far = connect(shared.port, "127.0.0.1");
    const cutter = createServer((near) => {
      near.on("data", (bytes) => {
        for (let offset = 0; offset < bytes.length; offset += step)
          far.write(bytes.subarray(offset, offset + step));
      });
      far.pipe(near);
    });
    const listening = await listen(cutter);
    const session = connectHttp2(`http://127.0.0.1:${listening.port}`);
    const stream = session.request({ ":method": "POST", ":path": "/" });
    stream.end("hello");
    assert.equal(await text(stream), "hello");
    session.destroy();
    far.destroy();
    await listening.close();
  }
});

test("a connection that says nothing is ended after its time, and one that ends is closed at once", async () => {
  kinds.length = 0;
  await using silent = await rawClient(shared.port);
  await using ended = await rawClient(shared.port);
  await using half = await rawClient(shared.port);
  ended.end();
  half.write("PRI * HT");
  half.end();
  await Promise.all([silent.closed, ended.closed, half.closed]);
  assert.deepEqual(kinds, ["closed", "closed", "closed"]);
});
