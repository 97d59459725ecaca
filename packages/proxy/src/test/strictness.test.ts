import assert from "node:assert/strict";
import { test } from "node:test";
import { rawClient, rawExchange, startUpstream, until } from "@clew/testing";
import { startProxy } from "../index.ts";
import { echoOf, exchange, messageOf, proxyTo } from "./fixture.ts";

const lines = (...all: string[]): string => [...all, "", ""].join("\r\n");
const start = "POST / HTTP/1.1";

/** What two servers might understand differently, or what is no HTTP at all. */
const malformed: Record<string, string> = {
  "both lengths": lines(start, "Host: h", "Content-Length: 3", "Transfer-Encoding: chunked"),
  "both lengths, the other way": lines(start, "Host: h", "Transfer-Encoding: chunked", "Content-Length: 3"),
  "two equal lengths": lines(start, "Host: h", "Content-Length: 3", "Content-Length: 3"),
  "a list of lengths": lines(start, "Host: h", "Content-Length: 3, 3"),
  "a signed length": lines(start, "Host: h", "Content-Length: +3"),
  "a hexadecimal length": lines(start, "Host: h", "Content-Length: 0x3"),
  "an empty length": lines(start, "Host: h", "Content-Length:"),
  "a length beyond all bounds": lines(start, "Host: h", `Content-Length: ${"9".repeat(30)}`),
  "an unknown coding": lines(start, "Host: h", "Transfer-Encoding: gzip, chunked"),
  "a coding twice": lines(start, "Host: h", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
  "a coding that is not chunked": lines(start, "Host: h", "Transfer-Encoding: xchunked"),
  "a coding in HTTP/1.0": lines("POST / HTTP/1.0", "Host: h", "Transfer-Encoding: chunked"),
  "no host": lines(start, "Content-Length: 0"),
  "two hosts": lines(start, "Host: h", "Host: g", "Content-Length: 0"),
  "a target of another host": lines("GET http://g/ HTTP/1.1", "Host: h"),
  "a target that is no path": lines("GET path HTTP/1.1", "Host: h"),
  "white space before the colon": lines(start, "Host: h", "Content-Length : 3"),
  "a folded line": lines(start, "Host: h", "X: a", " b"),
  "a name with a space": lines(start, "Host: h", "X Y: a"),
  "a line without colon": lines(start, "Host: h", "X"),
  "a bare CR in a value": lines(start, "Host: h", "X: a\rb"),
  "a NUL in a value": lines(start, "Host: h", "X: a\0b"),
  "bare line feeds": "GET / HTTP/1.1\nHost: h\n\n",
  "another protocol": lines("SSH-2.0-x"),
  "an HTTP/1.2": lines("GET / HTTP/1.2", "Host: h"),
  "a chunk size that is none": `${lines(start, "Host: h", "Transfer-Encoding: chunked")}zz\r\n`,
  "a signed chunk size": `${lines(start, "Host: h", "Transfer-Encoding: chunked")}-1\r\n`,
  "a chunk longer than its size": `${lines(start, "Host: h", "Transfer-Encoding: chunked")}1\r\nab\r\n0\r\n\r\n`,
};

test("what is ambiguous or malformed is refused with 400 and the connection's end", async (t) => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  for (const [title, bytes] of Object.entries(malformed)) {
    await t.test(title, async () => {
      const { status, head } = await exchange(proxy.port, bytes);
      assert.equal(status, 400);
      assert.match(head, /\r\nconnection: close/i);
    });
  }
  assert.deepEqual(
    upstream.requests.filter((request) => request !== "POST /"),
    [],
  );
});

test("of a request refused by its head nothing reaches the upstream", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  for (const [title, bytes] of Object.entries(malformed)) {
    if (!title.includes("chunk size") && !title.includes("a chunk")) await exchange(proxy.port, bytes);
  }
  assert.equal(upstream.accepted, 0);
});

test("a malformed request after a good one does not get in the way of the good one's answer, and is refused after it", async () => {
  await using upstream = await startUpstream({ fault: "hold" });
  await using proxy = await proxyTo({ to: upstream.port });
  const received = rawExchange(proxy.port, `${lines("GET / HTTP/1.1", "Host: h")}rubbish\r\n\r\n`);
  await until(() => upstream.requests.length === 1);
  upstream.release();
  assert.match((await received).toString(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*}HTTP\/1\.1 400 Bad Request\r\n/);
  assert.deepEqual(upstream.requests, ["GET /"]);
});

test("forms of the target are passed on as they came, and give their path", async () => {
  await using upstream = await startUpstream();
  const paths: string[] = [];
  await using proxy = await proxyTo({
    to: upstream.port,
    route: (head, plan) => {
      paths.push(head.path);
      return plan;
    },
  });
  const targets = ["http://h/a/b?c=/d", "http://h", "http://h?x", "/a?b", "//x/y", "*"];
  for (const target of targets) {
    const request = lines(`OPTIONS ${target} HTTP/1.1`, "Host: h", "Connection: close");
    assert.equal(echoOf(await rawExchange(proxy.port, request)).target, target);
  }
  assert.deepEqual(paths, ["/a/b", "/", "/", "/a", "//x/y", "*"]);
});

test("routing sees all lines of a header, the upgrade, and where the request came from", async () => {
  await using upstream = await startUpstream();
  const seen: unknown[] = [];
  await using proxy = await proxyTo({
    to: upstream.port,
    route: (head) => {
      seen.push(
        head.header("baggage"),
        head.header("none"),
        head.upgrade,
        head.remoteAddress,
        head.localPort,
      );
      return { status: 200, headers: [["x", "y"]], body: "local" };
    },
  });
  const request = lines(
    "GET / HTTP/1.1",
    "Host: h",
    "baggage: a=1",
    "BAGGAGE: b=2",
    "Connection: Upgrade",
    "Upgrade: x",
  );
  assert.equal((await exchange(proxy.port, request)).body, "local");
  assert.deepEqual(seen, ["a=1, b=2", undefined, "x", "127.0.0.1", proxy.port]);
});

test("CONNECT is refused with 405", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port });
  assert.equal((await exchange(proxy.port, lines("CONNECT a:1 HTTP/1.1", "Host: a:1"))).status, 405);
});

test("a head larger than the limit is refused with 431, one as large as it is passed on whole", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, limits: { maxHeadBytes: 8_000 } });
  const large = lines("GET / HTTP/1.1", "Host: h", "Connection: close", `X: ${"x".repeat(9_000)}`);
  assert.equal((await exchange(proxy.port, large)).status, 431);
  const many = Array.from({ length: 1_100 }, () => "a: b");
  const request = lines("GET / HTTP/1.1", "Host: h", "Connection: close", ...many);
  const echo = echoOf(await rawExchange(proxy.port, request));
  assert.equal(echo.rawHeaders.filter((name) => name === "a").length, 1_100);
});

test("a head that comes too slowly is refused with 408", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, limits: { headersTimeoutMs: 100 } });
  await using client = await rawClient(proxy.port);
  client.write("GET / HTTP/1.1\r\nHo");
  await client.closed;
  assert.equal(messageOf(client.received).status, 408);
});

test("an idle client's connection ends by its limit", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, limits: { clientIdleTimeoutMs: 20 } });
  await using client = await rawClient(proxy.port);
  client.write(lines("GET / HTTP/1.1", "Host: h"));
  await client.closed;
  assert.equal(messageOf(client.received).status, 200);
});

test("one connection more than the limit is closed, those that are there serve on", async () => {
  await using upstream = await startUpstream();
  await using proxy = await proxyTo({ to: upstream.port, limits: { maxConnections: 1 } });
  await using first = await rawClient(proxy.port);
  await using second = await rawClient(proxy.port);
  await second.closed;
  first.write(lines("GET / HTTP/1.1", "Host: h"));
  await first.waitFor("200 OK");
});

test("an address that is taken is told by code", async () => {
  await using upstream = await startUpstream();
  const listen = { host: "127.0.0.1", port: upstream.port };
  await assert.rejects(startProxy({ listen, route: () => ({ status: 200, headers: [], body: "" }) }), {
    code: "E_LISTEN",
  });
});
