import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { freePort, rawClient, startRawServer, startUpstream, until } from "@clew/testing";
import { proxyTo } from "./fixture.ts";

const tenMebibytes = Buffer.alloc(10 * 1024 * 1024, "0123456789abcdef-");
const digest = createHash("sha256").update(tenMebibytes).digest("hex");

/**
 * What may lie between two ends that do not read: the kernel's buffers on four sides (loopback lets them grow to some MiB), Node's
 * streams, and whatever the proxy holds. Far less than what is sent.
 */
const betweenBytes = 40 * 1024 * 1024;
const endlessBytes = 400 * 1024 * 1024;

test("10 MiB pass both ways unchanged", async () => {
  await using upstream = await startUpstream({
    handle: (request, response) => {
      const hash = createHash("sha256");
      request.on("data", (piece: Buffer) => hash.update(piece));
      request.on("end", () => {
        response.setHeader("x-digest", hash.digest("hex"));
        response.end(tenMebibytes);
      });
    },
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const request = httpRequest({ port: proxy.port, host: "127.0.0.1", method: "POST", agent: false });
  request.end(tenMebibytes);
  const answer = await new Promise<IncomingMessage>((resolve) => request.on("response", resolve));
  const hash = createHash("sha256");
  for await (const piece of answer) hash.update(piece as Buffer);
  assert.deepEqual([answer.headers["x-digest"], hash.digest("hex")], [digest, digest]);
});

test("a client that does not read holds the upstream back, and gets all once it reads", async () => {
  let sentBytes = 0;
  await using upstream = await startUpstream({
    handle: (_, response) => {
      response.writeHead(200, { "content-length": endlessBytes });
      const piece = Buffer.alloc(1024 * 1024);
      const send = (): void => {
        while (sentBytes < endlessBytes) {
          sentBytes += piece.length;
          if (!response.write(piece)) return;
        }
        response.end();
      };
      response.on("drain", send);
      send();
    },
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.socket.removeAllListeners("data").pause();
  client.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  await until(() => sentBytes > 0);
  const isStuck = await comesToRest(() => sentBytes);
  assert.equal(isStuck && sentBytes < betweenBytes, true, `${sentBytes} bytes were taken`);
});

test("an upstream that does not read holds the client back", async () => {
  await using upstream = await startRawServer((peer) => void peer.socket.pause());
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${endlessBytes}\r\n\r\n`);
  const piece = Buffer.alloc(1024 * 1024);
  let sentBytes = 0;
  const send = (): void => {
    while (sentBytes < endlessBytes) {
      sentBytes += piece.length;
      if (!client.socket.write(piece)) return;
    }
  };
  client.socket.on("drain", send);
  send();
  const isStuck = await comesToRest(() => sentBytes);
  assert.equal(isStuck && sentBytes < betweenBytes, true, `${sentBytes} bytes were taken`);
});

test("an answer's head, and each event, arrive when they are sent", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const event of ["one", "two"]) {
      await peer.waitFor(`ask ${event}`);
      peer.write(`3\r\n${event}\r\n`);
    }
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  await client.waitFor("chunked\r\n\r\n");
  client.write("ask one");
  await client.waitFor("one");
  client.write("ask two");
  await client.waitFor("two");
});

test("an answer that is over before the request's body is passed on, and the body is still taken to its end", async () => {
  await using upstream = await startUpstream({
    handle: (request, response) => {
      response.writeHead(413, { "content-length": 0 }).end();
      request.resume();
    },
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n");
  await client.waitFor("413");
  client.write(Buffer.alloc(2_000_000));
  client.write("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => upstream.requests.includes("GET /next"));
});

test("of a body whose upstream has answered and gone, the rest is read and dropped", async () => {
  await using upstream = await startRawServer(async (peer, index) => {
    await peer.waitFor("\r\n\r\n");
    if (index === 0) peer.socket.end("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else peer.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    if (index === 0) peer.socket.destroySoon();
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n");
  await client.waitFor("413");
  client.write(Buffer.alloc(2_000_000));
  client.write("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.waitFor("200 OK");
});

test("a body that does not come to its end after the answer is waited for so long, and no longer", async () => {
  await using upstream = await startUpstream({
    handle: (_, response) => void response.writeHead(413, { "content-length": 0 }).end(),
  });
  await using proxy = await proxyTo({ to: upstream.port, limits: { lingerTimeoutMs: 20 } });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  await client.waitFor("413");
  await client.closed;
  await until(() => upstream.open === 0);
});

test("a body that was dropped, as nobody could take it, does not end its connection later", async () => {
  await using proxy = await proxyTo({ to: await freePort(), limits: { lingerTimeoutMs: 1 } });
  await using client = await rawClient(proxy.port);
  for (let count = 1; count <= 20; count++) {
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    await client.waitFor((bytes) => bytes.toString().split("HTTP/1.1 502").length > count);
  }
});

/** Whether a counter stops growing: the same over many turns of the loop in a row. */
async function comesToRest(count: () => number): Promise<boolean> {
  let last = -1;
  let sameFor = 0;
  await until(() => {
    sameFor = count() === last ? sameFor + 1 : 0;
    last = count();
    return sameFor >= 20;
  });
  return true;
}
