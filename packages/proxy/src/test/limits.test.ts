import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { rawClient, rawExchange, startRawServer, startUpstream, until } from "@clew/testing";
import { type RequestHead, type RequestReport, startProxy, type Tap, tcpUpstream } from "../index.ts";
import { answering, echoOf, exchange, get, messageOf, post, proxyTo } from "./fixture.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("one request more than the limit is shed with 503 and retry-after; when another has ended, the next is served", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  const { port } = upstream;
  await using proxy = await proxyTo({ to: port, limits: { maxRequests: 1 } });
  const first = exchange(proxy.port, get());
  await until(() => upstream.requests.length === 1);
  const shed = await exchange(proxy.port, get());
  assert.equal(shed.status, 503);
  assert.match(shed.head, /\r\nclew-error: E_OVERLOADED\r\nretry-after: 1\r\n/);
  upstream.fault = "none";
  upstream.release();
  assert.equal((await first).status, 200);
  assert.equal((await exchange(proxy.port, get())).status, 200);
});

test("a body of which nothing comes is refused with 408, and its upstream freed", async () => {
  await using upstream = await startRawServer(() => {});
  await using proxy = await proxyTo({ to: upstream.port, limits: { bodyIdleTimeoutMs: 20 } });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
  await client.closed;
  assert.equal(messageOf(client.received).status, 408);
  await upstream.peers[0]?.closed;
  assert.equal(proxy.outcomes[0]?.status, 408);
});

test("a body that an answer has begun for may take its time", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    await peer.waitFor("rest");
    peer.write("0\r\n\r\n");
  });
  await using other = await startUpstream();
  const limits = { bodyIdleTimeoutMs: 20, clientIdleTimeoutMs: 40 };
  await using proxy = await proxyTo({ to: upstream.port, limits });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  await client.waitFor("half");
  // As long as another connection idles out twice, which takes longer than the limit.
  for (const _ of [1, 2]) {
    await using idle = await proxyTo({ to: other.port, limits });
    await using waiting = await rawClient(idle.port);
    await waiting.closed;
  }
  client.write("rest");
  assert.match((await client.waitFor("0\r\n\r\n")).toString(), /^HTTP\/1.1 200 OK/);
});

test("an answer that does not begin within the plan's limit is 504, or the fallback's", async () => {
  await using silent = await startRawServer(() => {});
  await using live = await startUpstream({ name: "live" });
  const limits = { clientIdleTimeoutMs: 40 };
  const answerLimits = { answerTimeoutMs: 20 };
  await using proxy = await proxyTo({ to: silent.port, answerLimits, limits });
  const { status, head } = await exchange(proxy.port, get());
  assert.equal(status, 504);
  assert.match(head, /\r\nclew-error: E_ANSWER_TIMEOUT\r\n/);
  await using falling = await proxyTo({ to: silent.port, fallback: live.port, answerLimits, limits });
  assert.equal(echoOf(await rawExchange(falling.port, get())).upstream, "live");
  assert.equal((await exchange(falling.port, post("once"))).status, 504);
});

test("early hints begin no answer: limits of the body and of the answer still hold", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
  });
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({
    to: upstream.port,
    fallback: live.port,
    answerLimits: { answerTimeoutMs: 20 },
    limits: { bodyIdleTimeoutMs: 20 },
  });
  const unanswered = (await rawExchange(proxy.port, get())).toString();
  assert.match(unanswered, /^HTTP\/1.1 103 .*\r\n\r\nHTTP\/1.1 504 .*E_ANSWER_TIMEOUT/s);
  await using client = await rawClient(proxy.port);
  client.write("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nhalf");
  await client.closed;
  assert.match(client.received.toString(), /^HTTP\/1.1 103 .*\r\n\r\nHTTP\/1.1 408 .*E_REQUEST_TIMEOUT/s);
  assert.equal(live.requests.length, 0, "nothing leads back");
});

test("requests sent ahead beyond the limit wait with the client, and are all answered in order", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, limits: { maxPipelinedBytes: 1_000 } });
  await using client = await rawClient(proxy.port);
  const targets = Array.from({ length: 300 }, (_, index) => `/${index}`);
  client.write(targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""));
  await client.waitFor('"target":"/299"');
  const answered = [...client.received.toString().matchAll(/"target":"(.*?)"/g)].map(([, target]) => target);
  assert.deepEqual(answered, targets);
});

test("what waits in a buffer for slow clients is not overwritten when their upstreams go", async () => {
  const size = 300_000;
  await using upstream = await startRawServer(async (peer) => {
    const head = (await peer.waitFor("\r\n\r\n")).toString();
    const letter = head.slice(5, 6);
    peer.write(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`);
    peer.socket.end(letter.repeat(size));
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const letters = [..."abcdefghijklmnop"];
  const clients = await Promise.all(letters.map(() => rawClient(proxy.port)));
  for (const [index, client] of clients.entries()) {
    client.socket.pause();
    client.write(get(`/${letters[index]}`));
  }
  await until(() => upstream.peers.length === letters.length);
  for (const client of clients) client.socket.resume();
  for (const [index, client] of clients.entries()) {
    await client.closed;
    assert.equal(messageOf(client.received).body === letters[index]?.repeat(size), true);
  }
});

test("counters tell what was done", async () => {
  await using upstream = await startUpstream();
  const proxy = await startProxy({
    listen: { host: "127.0.0.1", port: 0 },
    route: (head) =>
      head.path === "/here"
        ? { status: 404, headers: [], body: "" }
        : { upstream: tcpUpstream("127.0.0.1", upstream.port) },
  });
  const { port } = proxy.address;
  for (const target of ["/1", "/2", "/here"]) await exchange(port, get(target));
  await exchange(port, "rubbish\r\n\r\n");
  await using open = await rawClient(port);
  await until(() => proxy.stats.connectionsOpen === 1);
  const { stats } = proxy;
  assert.deepEqual([stats.connectionsTotal, stats.requestsTotal, stats.requestsRunning], [5, 3, 0]);
  assert.deepEqual(stats.answersByClass, [0, 0, 2, 0, 2, 0]);
  assert.deepEqual([stats.upstreamConnects, stats.upstreamReuses], [1, 1]);
  assert.deepEqual(stats.refusals, { "request-line": 1 });
  assert.ok(stats.bytesIn > 100 && stats.bytesOut > stats.bytesIn);
  open.end();
  await proxy.close();
});

test("each exchange that is over is published, with its head and its outcome", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const reports: RequestReport[] = [];
  const listen = (report: unknown): void => void reports.push(report as RequestReport);
  subscribe("clew.proxy.request", listen);
  try {
    await exchange(proxy.port, get("/told"));
  } finally {
    unsubscribe("clew.proxy.request", listen);
  }
  await exchange(proxy.port, get("/untold"));
  assert.deepEqual(
    reports.map(({ head, upstream: key, outcome }) => [
      head.target,
      head.header("host"),
      key,
      outcome.status,
    ]),
    [["/told", "h", `tcp://127.0.0.1:${upstream.port}`, 200]],
  );
});

test("a tap is told the head once, the body's bytes in their framing, and the end; or that there will be none", async () => {
  const told: string[] = [];
  const tap: Tap = {
    open(head) {
      told.push(`open ${head}`);
      return {
        write: (bytes) => void told.push(String(bytes)),
        end: () => void told.push("end"),
        abort: () => void told.push("abort"),
      };
    },
  };
  await using dying = await startUpstream({ fault: "reset-before-answer" });
  await using live = await startRawServer(async (peer) => {
    await peer.waitFor("0\r\n\r\n");
    peer.write(ok);
  });
  await using proxy = await proxyTo({ to: dying.port, fallback: live.port, plan: { taps: [tap] } });
  const head = "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  await using client = await rawClient(proxy.port);
  await client.writeCut(`${head}2\r\nab\r\n0\r\n\r\n`, [head.length + 4]);
  await client.waitFor("ok");
  assert.equal(told.join(""), `open ${head}2\r\nab\r\n0\r\n\r\nend`);
  told.length = 0;
  await using bare = await proxyTo({ to: live.port, plan: { taps: [tap] } });
  await using leaving = await rawClient(bare.port);
  leaving.write("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf");
  await until(() => told.includes("half"));
  leaving.reset();
  await until(() => told.includes("abort"));
});

test("an answer that ends by its connection, or in a proxy that was told to answer once, frees everything", async () => {
  await using upstream = await startRawServer(answering(ok));
  await using proxy = await proxyTo({ to: upstream.port });
  const received = await rawExchange(proxy.port, "GET / HTTP/1.0\r\n\r\n");
  assert.equal(received.toString(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  assert.match(upstream.peers[0]?.received.toString() ?? "", /^GET \/ HTTP\/1.1\r\nHost: \r\n\r\n$/);
});

test("a client that asked whether to send its body may wait longer than a body may", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    await using idle = await proxyTo({ to: upstream.port, limits: { clientIdleTimeoutMs: 100 } });
    await using waiting = await rawClient(idle.port);
    await waiting.closed;
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    await peer.waitFor("body");
    peer.write(ok);
  });
  await using proxy = await proxyTo({ to: upstream.port, limits: { bodyIdleTimeoutMs: 10 } });
  await using client = await rawClient(proxy.port);
  client.write("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  await client.waitFor("100 Continue\r\n\r\n");
  client.write("body");
  await client.waitFor("ok");
});

test("a status beyond those that there are is passed on, and counted apart", async () => {
  await using upstream = await startRawServer(answering("HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n"));
  const proxy = await startProxy({
    listen: { host: "127.0.0.1", port: 0 },
    route: () => ({ upstream: tcpUpstream("127.0.0.1", upstream.port) }),
  });
  assert.equal((await exchange(proxy.address.port, get())).status, 799);
  assert.deepEqual(proxy.stats.answersByClass, [1, 0, 0, 0, 0, 0]);
  await proxy.close();
});

test("an answer that is silent in its middle for longer than its plan allows is broken off", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  });
  const limits = { clientIdleTimeoutMs: 40 };
  await using proxy = await proxyTo({ to: upstream.port, answerLimits: { answerIdleTimeoutMs: 20 }, limits });
  assert.equal((await exchange(proxy.port, get())).body, "half");
  await upstream.peers[0]?.closed;
  assert.equal(proxy.outcomes[0]?.broken, "upstream");
});

test("a client that takes nothing for longer than the limit is broken off, and its upstream freed", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    peer.write(Buffer.alloc(40 * 1024 * 1024));
  });
  await using proxy = await proxyTo({ to: upstream.port, limits: { clientStallTimeoutMs: 20 } });
  await using client = await rawClient(proxy.port);
  client.socket.removeAllListeners("data").pause();
  client.write(get());
  await (await until(() => upstream.peers[0])).closed;
  await until(() => proxy.outcomes[0]?.broken === "client");
});

test("a head may be larger where its limits are, and is still there when its exchange is over", async () => {
  await using upstream = await startRawServer(answering(ok));
  const heads: RequestHead[] = [];
  await using proxy = await proxyTo({
    to: upstream.port,
    limits: { maxHeadBytes: 200_000, maxLineBytes: 100_000 },
    route: (head, plan) => {
      heads.push(head);
      return plan;
    },
  });
  const long = "x".repeat(90_000);
  const head = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\nX: ${long}\r\n\r\n`;
  await using client = await rawClient(proxy.port);
  client.write(head("/1") + head("/2"));
  await client.waitFor((bytes) => bytes.length >= 2 * ok.length);
  assert.deepEqual(
    heads.map((each) => [each.target, each.header("x") === long, each.rawHeaders.length]),
    [
      ["/1", true, 4],
      ["/2", true, 4],
    ],
  );
});
