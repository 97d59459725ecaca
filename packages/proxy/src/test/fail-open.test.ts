import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort, rawClient, rawExchange, startRawServer, startUpstream, until } from "@clew/testing";
import { type Failure, tcpUpstream, type Upstream } from "../index.ts";
import { answering, echoOf, exchange, get, post, proxyTo } from "./fixture.ts";

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

test("what cannot be reached is passed by, whatever the method, and the outcome says why", async () => {
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({ to: await freePort(), fallback: live.port });
  const echo = echoOf(await rawExchange(proxy.port, post("x".repeat(100_000))));
  assert.deepEqual([echo.upstream, echo.body.length], ["live", 100_000]);
  const [outcome] = proxy.outcomes;
  assert.equal(outcome?.fellBack, true);
  assert.deepEqual([outcome?.failure?.code, outcome?.failure?.stage], ["E_UPSTREAM_UNREACHABLE", "connect"]);
});

test("a connection that does not come about within the limit is passed by, and given up", async () => {
  await using live = await startUpstream({ name: "live" });
  let given: AbortSignal | undefined;
  const never: Upstream = {
    key: "never",
    connect: (signal) => {
      given = signal;
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  };
  await using proxy = await proxyTo({
    to: 0,
    fallback: live.port,
    plan: { upstream: never, connectTimeoutMs: 20 },
  });
  assert.equal(echoOf(await rawExchange(proxy.port, get())).upstream, "live");
  assert.equal(given?.aborted, true);
});

test("with nothing to fall back to, the client is told by status, code and the plan's own words", async () => {
  await using proxy = await proxyTo({ to: await freePort() });
  const plain = await exchange(proxy.port, get());
  assert.equal(plain.status, 502);
  assert.match(plain.head, /\r\nclew-error: E_UPSTREAM_UNREACHABLE\r\n/);
  const failed = ({ code }: Failure) => ({ status: 599, headers: [["x-own", code]] as const, body: "away" });
  await using own = await proxyTo({ to: await freePort(), fallback: await freePort(), plan: { failed } });
  const told = await exchange(own.port, get());
  assert.deepEqual([told.status, told.body], [599, "away"]);
  assert.match(told.head, /\r\nx-own: E_UPSTREAM_UNREACHABLE\r\n/);
});

for (const [title, request] of [
  ["a GET", get("/again")],
  ["a PUT with a small body", post("body").replace("POST", "PUT")],
  ["a POST with an idempotency key", post("body", "Idempotency-Key: 1")],
] as const) {
  test(`${title} whose upstream dies before the answer goes to the fallback, body and all`, async () => {
    await using away = await startUpstream({ fault: "reset-before-answer" });
    await using live = await startUpstream({ name: "live" });
    await using proxy = await proxyTo({ to: away.port, fallback: live.port });
    const echo = echoOf(await rawExchange(proxy.port, request));
    assert.deepEqual([echo.upstream, echo.body], ["live", request.startsWith("GET") ? "" : "body"]);
    assert.deepEqual([away.requests.length, live.requests.length], [1, 1]);
    assert.equal(proxy.outcomes[0]?.failure?.code, "E_UPSTREAM_BROKEN");
  });
}

test("a POST whose upstream dies before the answer is not sent again", async () => {
  await using away = await startUpstream({ fault: "reset-before-answer" });
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({ to: away.port, fallback: live.port });
  const { status, head } = await exchange(proxy.port, post("body"));
  assert.equal(status, 502);
  assert.match(head, /\r\nclew-error: E_UPSTREAM_BROKEN\r\n/);
  assert.deepEqual([away.requests.length, live.requests.length], [1, 0]);
});

test("a PUT with a body that is longer than what is held is not sent again", async () => {
  await using away = await startRawServer(async (peer) => {
    await peer.waitFor((bytes) => bytes.length > 101);
    peer.reset();
  });
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({
    to: away.port,
    fallback: live.port,
    limits: { replayBufferBytes: 10 },
  });
  const request = post("x".repeat(100)).replace("POST", "PUT");
  assert.equal((await exchange(proxy.port, request)).status, 502);
  assert.equal(live.requests.length, 0);
});

test("an answer that is not HTTP is a failure before the answer", async () => {
  await using away = await startRawServer(answering("SSH-2.0-x\r\n\r\n"));
  await using live = await startUpstream({ name: "live" });
  await using proxy = await proxyTo({ to: away.port, fallback: live.port });
  assert.equal(echoOf(await rawExchange(proxy.port, get())).upstream, "live");
  assert.equal(proxy.outcomes[0]?.failure?.code, "E_ANSWER_MALFORMED");
});

test("a body invited by a 100 that was passed on is still held, and the client is invited once", async () => {
  await using away = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    await peer.waitFor("body");
    peer.reset();
  });
  await using live = await startRawServer(async (peer) => {
    peer.write("HTTP/1.1 100 Continue\r\n\r\n");
    await peer.waitFor("body");
    peer.write(ok);
  });
  await using proxy = await proxyTo({ to: away.port, fallback: live.port });
  await using client = await rawClient(proxy.port);
  client.write("PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  await client.waitFor("100 Continue\r\n\r\n");
  client.write("body");
  assert.equal((await client.waitFor("ok")).toString(), `HTTP/1.1 100 Continue\r\n\r\n${ok}`);
});

test("after early hints were passed on, another upstream's answer would not fit them", async () => {
  await using away = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", () => peer.reset());
  });
  await using live = await startUpstream();
  await using proxy = await proxyTo({ to: away.port, fallback: live.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.waitFor("HTTP/1.1 502 ");
  assert.equal(live.requests.length, 0);
});

for (const [title, head, how] of [
  ["of known length reset", "Content-Length: 9", "reset"],
  ["of known length ended", "Content-Length: 9", "end"],
  ["in chunks reset", "Transfer-Encoding: chunked", "reset"],
  ["in chunks ended", "Transfer-Encoding: chunked", "end"],
] as const) {
  test(`an answer ${title} in its middle is cut for the client as well`, async () => {
    await using upstream = await startRawServer(async (peer) => {
      await peer.waitFor("\r\n\r\n");
      peer.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n4\r\nhalf`);
      await peer.waitFor("cut!");
      peer[how]();
    });
    await using live = await startUpstream();
    await using proxy = await proxyTo({ to: upstream.port, fallback: live.port });
    await using client = await rawClient(proxy.port);
    client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    await client.waitFor("half");
    client.write("cut!");
    await client.closed;
    assert.doesNotMatch(client.received.toString(), /\r\n0\r\n/);
    await until(() => proxy.outcomes[0]?.broken === "upstream");
    assert.equal(live.requests.length, 0);
  });
}

test("an answer delimited by the connection's end that is broken off is reset for the client", {
  // There the reset itself comes as an end: libuv before 1.48.
  skip: process.versions.node.startsWith("20."),
}, async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\n\r\nhalf");
    await peer.waitFor("cut!");
    peer.reset();
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
  await client.waitFor("half");
  client.write("cut!");
  assert.equal(((await client.closed).error as NodeJS.ErrnoException).code, "ECONNRESET");
});

test("a client that goes while an intercept waits at a breakpoint frees the upstream, and nothing is retried", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  await using live = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, fallback: live.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await until(() => upstream.requests.length === 1);
  client.reset();
  await until(() => upstream.open === 0, { what: "the end of the upstream's connection" });
  assert.equal(proxy.outcomes[0]?.broken, "client");
  assert.equal(live.requests.length, 0);
});

test("a client that goes in the middle of an answer frees the upstream", async () => {
  await using upstream = await startUpstream({
    handle: (_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("data: 1\n\n");
    },
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  await client.waitFor("data: 1");
  client.socket.destroy();
  await until(() => upstream.open === 0, { what: "the end of the upstream's connection" });
});

test("a plan that cannot be sent and a route that throws are told, and the client gets a 500", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({
    to: upstream.port,
    route: (head, plan) => {
      if (head.path === "/throw") throw new Error("route");
      return { ...plan, requestHeaders: { set: [["x", "a\r\nb"]] } };
    },
  });
  assert.equal((await exchange(proxy.port, get("/throw"))).status, 500);
  assert.match(
    (await exchange(proxy.port, get("/plan"))).head,
    /^HTTP\/1.1 500 [\s\S]*clew-error: E_PLAN_INVALID/,
  );
  assert.equal(proxy.errors.length, 2);
});

test("an answer of our own that cannot be sent becomes a 500, edits that cannot be made are left out", async () => {
  await using upstream = await startUpstream();
  const bad = [["x", "a\r\nb"]] as const;
  await using proxy = await proxyTo({
    to: upstream.port,
    plan: { responseHeaders: () => ({ set: bad }) },
    route: (head, plan) => (head.path === "/local" ? { status: 200, headers: bad, body: "" } : plan),
  });
  assert.equal((await exchange(proxy.port, get("/local"))).status, 500);
  assert.equal((await exchange(proxy.port, get("/edited"))).status, 200);
  assert.equal(proxy.errors.length, 2);
});

test("a status that is none is a malformed answer", async () => {
  await using upstream = await startRawServer(answering("HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n"));
  await using proxy = await proxyTo({ to: upstream.port });
  assert.match(
    (await exchange(proxy.port, get())).head,
    /^HTTP\/1.1 502 [\s\S]*clew-error: E_ANSWER_MALFORMED/,
  );
});

test("a connector's own code is kept", async () => {
  const refused = Object.assign(new Error("port not offered"), {
    [Symbol.for("clew.error")]: true,
    code: "E_PORT_NOT_OFFERED",
  });
  const upstream: Upstream = { ...tcpUpstream("::1", 1), connect: () => Promise.reject(refused) };
  await using proxy = await proxyTo({ to: 0, plan: { upstream } });
  assert.match((await exchange(proxy.port, get())).head, /clew-error: E_PORT_NOT_OFFERED/);
});
