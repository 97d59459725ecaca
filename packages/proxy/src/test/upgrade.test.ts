import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { freePort, rawClient, startRawServer, startUpstream, until } from "@clew/testing";
import { WebSocket } from "ws";
import { echoOf, exchange, proxyTo } from "./fixture.ts";

const ask = (protocol = "x-echo", ...lines: string[]): string =>
  ["GET /up HTTP/1.1", "Host: h", "Connection: Upgrade", `Upgrade: ${protocol}`, ...lines, "", ""].join(
    "\r\n",
  );

test("WebSocket messages of any size pass both ways, and the close handshake ends both sides", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/ws`, { perMessageDeflate: false });
  await once(socket, "open");
  for (const message of ["", "a", "b".repeat(200), "c".repeat(60_000)]) {
    socket.send(message);
    const [echoed] = await once(socket, "message");
    assert.equal(String(echoed), message);
  }
  socket.close(1000);
  await once(socket, "close");
  await until(() => upstream.open === 0);
  assert.deepEqual([proxy.outcomes[0]?.status, proxy.outcomes[0]?.broken], [101, undefined]);
});

test("bytes in the same packet as the handshake pass, in both directions", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write(`${ask("x-echo", "Connection: x-hop", "X-Hop: 1", "X-End: 1")}early`);
  const received = (await client.waitFor("early")).toString();
  assert.equal(
    received,
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x-echo\r\nConnection: Upgrade\r\n\r\nearly",
  );
  client.write("late");
  await client.waitFor("late");
});

test("an upstream sees the upgrade as it was asked for, and nothing of what follows before it agreed", async () => {
  await using upstream = await startRawServer(async (peer) => {
    const head = (await peer.waitFor("\r\n\r\n")).toString();
    await new Promise(setImmediate);
    assert.equal(peer.received.toString(), head);
    peer.write("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const { head, body } = await exchange(proxy.port, `${ask()}GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n`);
  assert.deepEqual([head, body], ["HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close", "no"]);
  assert.match(
    upstream.peers[0]?.received.toString() ?? "",
    /^GET \/up HTTP\/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x-echo\r\n\r\n$/,
  );
});

test("a refusal in chunks, larger than any buffer, comes whole", async () => {
  const size = 1_000_000;
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`);
    peer.write(`${"x".repeat(size)}\r\n0\r\n\r\n`);
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const { body } = await exchange(proxy.port, ask());
  assert.equal(body.match(/x/g)?.length, size);
  assert.match(body, /\r\n0\r\n\r\n$/);
});

test("an end passes on as an end: what the other side still has to say arrives", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: x-echo\r\n\r\n");
    await peer.closed;
    peer.socket.end("last words");
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write(ask());
  await client.waitFor("101 Go");
  client.end();
  await client.waitFor("last words");
  await until(() => proxy.outcomes.length === 1);
  assert.equal(proxy.outcomes[0]?.broken, undefined);
});

test("a break on either side of an upgraded connection breaks the other", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await using first = await rawClient(proxy.port);
  first.write(ask());
  await first.waitFor("101");
  first.reset();
  await until(() => upstream.open === 0);
  await using second = await rawClient(proxy.port);
  second.write(ask());
  await second.waitFor("101");
  upstream.resetAll();
  await second.closed;
  await until(() => proxy.outcomes.length === 2);
  // Node 20 reports the reset as an end.
  if (!process.versions.node.startsWith("20.")) {
    assert.deepEqual(
      proxy.outcomes.map(({ broken }) => broken),
      ["client", "upstream"],
    );
  }
});

test("a client that goes before the upstream has agreed frees the upstream", async () => {
  await using upstream = await startRawServer(() => {});
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write(ask());
  const peer = await until(() => upstream.peers[0]);
  await peer.waitFor("\r\n\r\n");
  client.reset();
  await peer.closed;
  assert.equal(proxy.outcomes[0]?.broken, "client");
});

test("an upgrade goes to the fallback when its upstream is away, and when it dies before the answer", async () => {
  await using live = await startUpstream();
  await using dying = await startUpstream({ fault: "reset-before-answer" });
  for (const to of [await freePort(), dying.port]) {
    await using proxy = await proxyTo({ to, fallback: live.port });
    await using client = await rawClient(proxy.port);
    client.write(ask());
    await client.waitFor("HTTP/1.1 101");
  }
});

test("an upgrade with neither upstream nor fallback is told so", async () => {
  await using proxy = await proxyTo({ to: await freePort() });
  assert.equal((await exchange(proxy.port, ask())).status, 502);
});

for (const [title, request] of [
  [
    "to h2c, which would escape routing",
    ask("h2c", "Connection: HTTP2-Settings", "HTTP2-Settings: AAMAAABk"),
  ],
  ["with a body to be sent first", `${ask("x-echo", "Content-Length: 4").replace("GET", "POST")}body`],
  ["in HTTP/1.0", ask().replace("HTTP/1.1", "HTTP/1.0")],
] as const) {
  test(`an upgrade ${title}, is served as a request without it`, async () => {
    await using upstream = await startUpstream();
    await using proxy = await proxyTo({ to: upstream.port });
    await using client = await rawClient(proxy.port);
    client.write(request);
    const echo = echoOf(await client.waitFor("}"));
    assert.equal(echo.body, request.endsWith("body") ? "body" : "");
    const names = echo.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    assert.equal(names.includes("upgrade") || names.includes("http2-settings"), false);
  });
}
