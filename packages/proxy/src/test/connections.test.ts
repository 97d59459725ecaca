import assert from "node:assert/strict";
import { test } from "node:test";
import { type RawPeer, rawClient, rawExchange, startRawServer, startUpstream, until } from "@clew/testing";
import { tcpUpstream } from "../index.ts";
import { answering, echoOf, exchange, get, messageOf, post, proxyTo } from "./fixture.ts";

test("connections to an upstream are kept and shared by clients", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  for (let count = 0; count < 5; count++) await exchange(proxy.port, get());
  assert.equal(upstream.accepted, 1);
});

test("100 concurrent clients each get their own answer", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const rounds = Array.from({ length: 100 }, async (_, client) => {
    for (const round of [1, 2]) {
      const target = `/${client}/${round}`;
      assert.equal(echoOf(await rawExchange(proxy.port, get(target))).target, target);
    }
  });
  await Promise.all(rounds);
});

test("a GET on a kept connection that died is sent once more over a new one, to the same upstream", async () => {
  await using upstream = await startUpstream({ name: "same", fault: "reset-when-reused" });
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({ to: upstream.port, fallback: live.port });
  await exchange(proxy.port, get("/1"));
  const echo = echoOf(await rawExchange(proxy.port, get("/2")));
  assert.deepEqual([echo.upstream, echo.target], ["same", "/2"]);
  assert.deepEqual([upstream.accepted, live.accepted], [2, 0]);
  const [, second] = proxy.outcomes;
  assert.deepEqual([second?.fellBack, second?.failure], [false, undefined]);
});

test("a POST on a kept connection that died is not sent twice", async () => {
  await using upstream = await startUpstream({ fault: "reset-when-reused" });
  await using proxy = await proxyTo({ to: upstream.port });
  await exchange(proxy.port, get());
  assert.equal((await exchange(proxy.port, post("once"))).status, 502);
  assert.deepEqual(upstream.requests, ["GET /", "POST /"]);
});

test("a kept connection that the upstream ended is not used", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await exchange(proxy.port, get());
  upstream.closeIdle();
  await until(() => upstream.open === 0);
  assert.equal((await exchange(proxy.port, post("x"))).status, 200);
});

test("an answer that is there before its request has gone is nobody's", async () => {
  const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  await using upstream = await startRawServer((peer) => {
    peer.socket.on("data", () => peer.write(answer("own")));
  });
  await using proxy = await proxyTo({ to: upstream.port, limits: { busyWritesPerSecond: 0 } });
  await using client = await rawClient(proxy.port);
  const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  client.write(request);
  await client.waitFor("own");
  // Both are there at the proxy's next look, the request first.
  client.write(request);
  upstream.peers[0]?.write(answer("stray"));
  await until(() => client.received.toString().split("own").length === 3);
  assert.doesNotMatch(client.received.toString(), /stray/);
  assert.equal(upstream.peers.length, 2);
});

for (const [title, limits, keepAlive] of [
  ["our own limit", { upstreamIdleTimeoutMs: 20 }, ""],
  ["the upstream's announcement, less a second", {}, "Keep-Alive: timeout=1\r\n"],
] as const) {
  test(`an idle connection ends by ${title}`, async () => {
    const peers: RawPeer[] = [];
    await using upstream = await startRawServer((peer) => {
      peers.push(peer);
      answering(`HTTP/1.1 200 OK\r\n${keepAlive}Content-Length: 0\r\n\r\n`)(peer);
    });
    await using proxy = await proxyTo({ to: upstream.port, limits });
    await exchange(proxy.port, get());
    await peers[0]?.closed;
  });
}

test("idle connections beyond the limit are closed", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  await using proxy = await proxyTo({ to: upstream.port, limits: { maxIdlePerUpstream: 1 } });
  const answers = [1, 2, 3].map(() => exchange(proxy.port, get()));
  await until(() => upstream.requests.length === 3);
  upstream.release();
  await Promise.all(answers);
  await until(() => upstream.open === 1);
});

test("what an upstream sends unasked on a kept connection is nobody's answer", async () => {
  const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  await using upstream = await startRawServer(answering(ok));
  await using proxy = await proxyTo({ to: upstream.port });
  await exchange(proxy.port, get());
  upstream.peers[0]?.write(ok.replace("ok", "no"));
  await upstream.peers[0]?.closed;
  assert.equal((await exchange(proxy.port, get())).body, "ok");
});

test("a retired upstream's idle connections end at once, busy ones after their answer", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await exchange(proxy.port, get());
  upstream.fault = "hold";
  const pending = exchange(proxy.port, get("/busy"));
  await until(() => upstream.requests.length === 2);
  proxy.retire(upstream.port);
  upstream.release();
  assert.equal((await pending).status, 200);
  await until(() => upstream.open === 0);
});

test("one client connection may go to another upstream with each request", async () => {
  await using first = await startUpstream({ name: "first" });
  await using second = await startUpstream({ name: "second" });
  await using proxy = await proxyTo({
    to: first.port,
    route: (head, plan) =>
      head.path === "/2" ? { ...plan, upstream: tcpUpstream("127.0.0.1", second.port) } : plan,
  });
  const keep = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  const bytes = await rawExchange(proxy.port, keep("/1") + keep("/2") + get("/3"));
  const names = [...bytes.toString().matchAll(/"upstream":"(.*?)"/g)].map(([, name]) => name);
  assert.deepEqual(names, ["first", "second", "first"]);
});

test("closing: idle clients end at once, an answer under way is finished and says close, then nobody is let in", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  await using proxy = await proxyTo({ to: upstream.port });
  await using silent = await rawClient(proxy.port);
  await using idle = await rawClient(proxy.port);
  upstream.fault = "none";
  idle.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await idle.waitFor("}");
  upstream.fault = "hold";
  await using busy = await rawClient(proxy.port);
  busy.write("GET /busy HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => upstream.requests.length === 2);
  const closed = proxy.close(60_000);
  await Promise.all([silent.closed, idle.closed]);
  await assert.rejects(rawClient(proxy.port), { code: "ECONNREFUSED" });
  upstream.release();
  assert.match((await busy.waitFor("}")).toString(), /\r\nConnection: close\r\n/);
  await closed;
  await until(() => upstream.open === 0);
});

for (const [title, length] of [
  ["an answer that had begun is finished", 8],
  ["a body whose answer is over already is read to its end", 4],
] as const) {
  test(`closing: ${title}, and its connection ends then`, async () => {
    await using upstream = await startRawServer(async (peer) => {
      await peer.waitFor("\r\n\r\n");
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\nhalf`);
      await peer.waitFor("go!");
      if (length === 8) peer.write("rest");
    });
    await using proxy = await proxyTo({ to: upstream.port });
    await using client = await rawClient(proxy.port);
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n");
    await client.waitFor("half");
    const closed = proxy.close(60_000);
    client.write("go!");
    await client.waitFor((bytes) => messageOf(bytes).body.length === length);
    await closed;
  });
}

test("closing: what is not over when the grace is over is cut, upgrades too", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await using upgraded = await rawClient(proxy.port);
  upgraded.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
  await upgraded.waitFor("101");
  upstream.fault = "hold";
  await using held = await rawClient(proxy.port);
  held.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => upstream.requests.length === 2);
  await proxy.close(10);
  await Promise.all([upgraded.closed, held.closed]);
});
