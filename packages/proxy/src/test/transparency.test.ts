import assert from "node:assert/strict";
import { test } from "node:test";
import { rawClient, rawExchange, startRawServer, startUpstream, until } from "@clew/testing";
import { answering, echoOf, exchange, get, post, proxyTo } from "./fixture.ts";

test("names, casing, order and duplicates of headers arrive as they were sent", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const request =
    "GET /a%20b?c=d&c HTTP/1.1\r\nhOST: h\r\nX-b: 1\r\nbaggage: a=1\r\nx-B: \xfc\r\nBaggage: b=2\r\n";
  const bytes = Buffer.from(`${request}Connection: close\r\n\r\n`, "latin1");
  const echo = echoOf(await rawExchange(proxy.port, bytes));
  assert.equal(echo.target, "/a%20b?c=d&c");
  const sent = ["hOST", "h", "X-b", "1", "baggage", "a=1", "x-B", "\xfc", "Baggage", "b=2"];
  assert.deepEqual(echo.rawHeaders, sent);
});

test("status message, headers and body of an answer arrive as they were sent, and nothing is added", async () => {
  const lines = ["HTTP/1.1 299 Odd \xfc", "x-One: 1", "X-TWO: 2", "x-one: 3", "Content-Length: 2", "", "ok"];
  await using upstream = await startRawServer((peer) => {
    peer.socket.once("data", () => peer.write(Buffer.from(lines.join("\r\n"), "latin1")));
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const received = await client.waitFor("ok");
  assert.equal(received.toString("latin1"), lines.join("\r\n"));
});

test("headers for one hop go no further, neither those of the request nor those of the answer", async () => {
  const answer =
    "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=9\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n";
  await using upstream = await startRawServer(answering(answer));
  await using proxy = await proxyTo({ to: upstream.port });
  const hop = "Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: trailers, deflate\r\nUpgrade: x\r\nX-Mine: 1";
  const { head } = await exchange(
    proxy.port,
    `GET / HTTP/1.1\r\nHost: h\r\nConnection: close, x-mine, host\r\n${hop}\r\n\r\n`,
  );
  assert.equal(head, "HTTP/1.1 200 OK\r\nX-End: 1\r\nContent-Length: 0\r\nConnection: close");
  const seen = upstream.peers[0]?.received.toString() ?? "";
  assert.match(seen, /^GET \/ HTTP\/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n$/);
});

test("edits of the plan are made: removal of all lines first, then additions at the end", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({
    to: upstream.port,
    plan: {
      requestHeaders: { remove: ["x-a"], set: [["x-a", "new"]] },
      responseHeaders: ({ status, fellBack }) => ({
        remove: ["date"],
        set: [["x-b", `${status} ${fellBack}`]],
      }),
    },
  });
  const bytes = await rawExchange(
    proxy.port,
    "GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nX-a: 2\r\nConnection: close\r\n\r\n",
  );
  assert.deepEqual(echoOf(bytes).rawHeaders.slice(0, 4), ["Host", "h", "x-a", "new"]);
  assert.match(bytes.toString(), /\r\nx-b: 200 false\r\n/);
  assert.doesNotMatch(bytes.toString(), /\r\ndate:/i);
});

test("chunks and trailers pass in both directions", async () => {
  await using upstream = await startUpstream({
    handle: (request, response) => {
      request.resume().on("end", () => {
        response.writeHead(200, ["Transfer-Encoding", "chunked", "Trailer", "X-Sum"]);
        response.write("abc");
        response.addTrailers([["X-Sum", request.rawTrailers.join("=")]]);
        response.end();
      });
    },
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const { head, body } = await exchange(
    proxy.port,
    "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: X-In\r\n\r\n2;ext=1\r\nhi\r\n0\r\nX-In: 7\r\n\r\n",
  );
  assert.match(head, /\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum/);
  assert.equal(body, "3\r\nabc\r\n0\r\nX-Sum: X-In=7\r\n\r\n");
});

const bodiless: Array<[title: string, method: string, answer: string]> = [
  ["HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"],
  ["HEAD of a chunked answer", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["HEAD without framing", "HEAD", "HTTP/1.1 200 OK\r\nx: y\r\n\r\n"],
  ["204", "GET", "HTTP/1.1 204 No Content\r\nx: y\r\n\r\n"],
  ["304 with a length", "GET", 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 50\r\n\r\n'],
];
for (const [title, method, answer] of bodiless) {
  test(`an answer without body is passed on as it is, and the connection serves on: ${title}`, async () => {
    await using upstream = await startRawServer(answering(answer));
    await using proxy = await proxyTo({ to: upstream.port });
    await using client = await rawClient(proxy.port);
    const request = `${method} / HTTP/1.1\r\nHost: h\r\n\r\n`;
    client.write(request);
    await client.waitFor("\r\n\r\n");
    client.write(request);
    const received = await client.waitFor((bytes) => bytes.length >= 2 * answer.length);
    assert.equal(received.toString(), answer + answer);
  });
}

test("an answer that the connection's end delimits comes whole, and ends the client's connection", async () => {
  await using upstream = await startRawServer((peer) => {
    peer.socket.once("data", () => peer.socket.end("HTTP/1.1 200 OK\r\n\r\nall of it"));
  });
  await using proxy = await proxyTo({ to: upstream.port });
  const { head, body } = await exchange(proxy.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  assert.deepEqual([head, body], ["HTTP/1.1 200 OK\r\nConnection: close", "all of it"]);
});

test("a client of HTTP/1.0 gets a chunked answer without chunks", async () => {
  await using upstream = await startRawServer(
    answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
  );
  await using proxy = await proxyTo({ to: upstream.port });
  const { head, body } = await exchange(proxy.port, "GET / HTTP/1.0\r\n\r\n");
  assert.deepEqual([head, body], ["HTTP/1.1 200 OK\r\nConnection: close", "abc"]);
});

test("103 and 100 reach the client with their headers before the answer, and the body after the 100", async () => {
  await using upstream = await startRawServer(async (peer) => {
    const head = await peer.waitFor("\r\n\r\n");
    assert.match(head.toString(), /\r\nExpect: 100-continue\r\n/);
    peer.write(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Odd: 1\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    );
    await peer.waitFor("body!");
    peer.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n");
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  await client.waitFor("HTTP/1.1 100 Continue\r\n\r\n");
  client.write("body!");
  const received = (await client.waitFor("Content-Length: 0\r\n\r\n")).toString();
  const hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nX-Odd: 1\r\n\r\n";
  const rest = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
  assert.equal(received, hints + rest);
});

test("a refused expectation is passed on without the body, and ends the connection", async () => {
  await using upstream = await startRawServer(answering("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"));
  await using proxy = await proxyTo({ to: upstream.port });
  const head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
  assert.equal(
    (await exchange(proxy.port, head)).head,
    "HTTP/1.1 417 No\r\nContent-Length: 0\r\nConnection: close",
  );
});

test("a client that ends its side after the request still gets the answer", async () => {
  await using upstream = await startRawServer(async (peer) => {
    await peer.closed;
    peer.socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate");
  });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.end();
  await client.waitFor("late");
  await client.closed;
});

test("a client that pipelines and ends its side gets all answers, and then the end", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  const keep = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  client.socket.end(keep("/1") + keep("/2") + keep("/3"));
  await client.closed;
  const targets = [...client.received.toString().matchAll(/"target":"(.*?)"/g)].map(([, target]) => target);
  assert.deepEqual(targets, ["/1", "/2", "/3"]);
});

test("pipelined requests of a client that has gone free the upstream; those whose turn had not come reach none", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  await using proxy = await proxyTo({ to: upstream.port });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n".repeat(3));
  await until(() => upstream.requests.length === 1);
  client.reset();
  await until(() => upstream.open === 0);
  assert.deepEqual([upstream.requests.length, proxy.outcomes.length], [1, 1]);
});

test("pipelined requests are answered in order", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const keep = (target: string): string => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  const bytes = await rawExchange(proxy.port, keep("/1") + keep("/2") + get("/3"));
  const targets = [...bytes.toString().matchAll(/"target":"(.*?)"/g)].map(([, target]) => target);
  assert.deepEqual(targets, ["/1", "/2", "/3"]);
});

test("a request cut into packets at any place is understood as the same request", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  const request = post("hello", "X-A: b");
  for (let cut = 1; cut < request.length; cut += 7) {
    await using client = await rawClient(proxy.port);
    await client.writeCut(request, [cut, cut + 3]);
    await client.closed;
    const echo = echoOf(client.received);
    assert.deepEqual([echo.body, echo.rawHeaders.slice(0, 2)], ["hello", ["Host", "h"]], `cut at ${cut}`);
  }
});
