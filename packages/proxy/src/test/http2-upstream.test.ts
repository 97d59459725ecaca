import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect, createServer } from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { test } from "node:test";
import { rawClient, rawExchange, startUpstream, until } from "@clew/testing";
import type { Upstream } from "../index.ts";
import { echoOf, exchange, get, post, proxyTo } from "./fixture.ts";

/** A stand-in for the tunnel: each stream of an HTTP/2 connection is a byte pipe to a port. */
async function startPipes(
  port: number,
): Promise<AsyncDisposable & { upstream: Upstream; streams(): number }> {
  let streams = 0;
  const server = createServer().on("stream", (stream) => {
    streams++;
    stream.respond({ ":status": 200 });
    const socket = connectTcp({ port, host: "127.0.0.1", allowHalfOpen: true });
    stream.pipe(socket).pipe(stream);
    stream.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("error", () => stream.close(2)).on("close", () => stream.close());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    streams: () => streams,
    upstream: {
      key: "pipe",
      connect: async () => {
        const stream = session.request({ ":method": "CONNECT", ":authority": "x:1" });
        await once(stream, "response");
        return stream;
      },
    },
    [Symbol.asyncDispose]: async () => {
      session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

test("requests pass over a byte pipe that is no socket, one after another over the same", async () => {
  await using upstream = await startUpstream();
  await using pipes = await startPipes(upstream.port);
  await using proxy = await proxyTo({ to: 0, plan: { upstream: pipes.upstream } });
  const long = "x".repeat(300_000);
  assert.equal(echoOf(await rawExchange(proxy.port, get("/1"))).target, "/1");
  assert.equal(echoOf(await rawExchange(proxy.port, post(long))).body, long);
  assert.equal(pipes.streams(), 1);
  upstream.resetAll();
  await until(() => upstream.open === 0);
  assert.equal((await exchange(proxy.port, get("/2"))).status, 200);
});

test("an upgrade passes over a byte pipe that is no socket, and its end as well", async () => {
  await using upstream = await startUpstream();
  await using pipes = await startPipes(upstream.port);
  await using proxy = await proxyTo({ to: 0, plan: { upstream: pipes.upstream } });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly");
  await client.waitFor("early");
  client.write("late");
  await client.waitFor("late");
  client.end();
  await client.closed;
  await until(() => proxy.outcomes[0]?.status === 101);
});

test("an upstream that dies behind a byte pipe is noticed, and the client that goes frees it", async () => {
  await using upstream = await startUpstream({ fault: "reset-before-answer" });
  await using pipes = await startPipes(upstream.port);
  await using proxy = await proxyTo({ to: 0, plan: { upstream: pipes.upstream } });
  assert.equal((await exchange(proxy.port, get())).status, 502);
  upstream.fault = "hold";
  await using client = await rawClient(proxy.port);
  client.write("GET /held HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => upstream.requests.includes("GET /held"));
  client.reset();
  await until(() => upstream.open === 0);
});
