import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeadFault } from "./faults.ts";
import { defaultHeadLimits, type HeadResult } from "./head-parser.ts";
import { RequestHeadParser } from "./request-head-parser.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const lines = (...all: string[]): string => [...all, "", ""].join("\r\n");
const post = "POST / HTTP/1.1";

/** Heads that are refused, and why. */
const refused: ReadonlyArray<readonly [title: string, head: string, fault: HeadFault]> = [
  ["both lengths", lines(post, "Host: h", "Content-Length: 3", "Transfer-Encoding: chunked"), "both-lengths"],
  [
    "both lengths, the other way",
    lines(post, "Host: h", "Transfer-Encoding: chunked", "Content-Length: 3"),
    "both-lengths",
  ],
  [
    "two equal lengths",
    lines(post, "Host: h", "Content-Length: 3", "Content-Length: 3"),
    "two-content-lengths",
  ],
  ["two lengths", lines(post, "Host: h", "Content-Length: 3", "content-length: 4"), "two-content-lengths"],
  ["a list of lengths", lines(post, "Host: h", "Content-Length: 3, 3"), "content-length"],
  ["a signed length", lines(post, "Host: h", "Content-Length: +3"), "content-length"],
  ["a negative length", lines(post, "Host: h", "Content-Length: -3"), "content-length"],
  ["a hexadecimal length", lines(post, "Host: h", "Content-Length: 0x3"), "content-length"],
  ["a length with a space in it", lines(post, "Host: h", "Content-Length: 1 0"), "content-length"],
  ["an empty length", lines(post, "Host: h", "Content-Length:"), "content-length"],
  ["a blank length", lines(post, "Host: h", "Content-Length: \t "), "content-length"],
  [
    "a length beyond all bounds",
    lines(post, "Host: h", "Content-Length: 18446744073709551616"),
    "content-length",
  ],
  ["an unknown coding", lines(post, "Host: h", "Transfer-Encoding: gzip, chunked"), "transfer-encoding"],
  [
    "a coding that is not chunked",
    lines(post, "Host: h", "Transfer-Encoding: xchunked"),
    "transfer-encoding",
  ],
  ["identity", lines(post, "Host: h", "Transfer-Encoding: identity"), "transfer-encoding"],
  [
    "a coding with a parameter",
    lines(post, "Host: h", "Transfer-Encoding: chunked;a=b"),
    "transfer-encoding",
  ],
  ["an empty coding", lines(post, "Host: h", "Transfer-Encoding:"), "transfer-encoding"],
  ["a coding after a vertical tab", lines(post, "Host: h", "Transfer-Encoding:\x0bchunked"), "control-byte"],
  [
    "a coding twice",
    lines(post, "Host: h", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    "two-transfer-encodings",
  ],
  [
    "a coding in HTTP/1.0",
    lines("POST / HTTP/1.0", "Host: h", "Transfer-Encoding: chunked"),
    "transfer-encoding-in-http10",
  ],
  ["no host", lines(post, "X: y"), "no-host"],
  ["two hosts", lines(post, "Host: h", "Host: h"), "two-hosts"],
  ["a length with a tab behind it", lines(post, "Host: h", "Content-Length: 3\t"), "content-length"],
  [
    "a coding with a tab before it",
    lines(post, "Host: h", "Transfer-Encoding:\tchunked"),
    "transfer-encoding",
  ],
  ["a list of hosts", lines(post, "Host: h, g"), "host"],
  ["a host with a path", lines(post, "Host: h/a"), "host"],
  ["a host with a user", lines(post, "Host: u@h"), "host"],
  ["two hosts in HTTP/1.0", lines("GET / HTTP/1.0", "Host: h", "Host: g"), "two-hosts"],
  ["a target of another host", lines("GET http://g/ HTTP/1.1", "Host: h"), "other-host"],
  ["a URL without a host line", lines("GET http://g/ HTTP/1.0"), "other-host"],
  ["a target that is no path", lines("GET path HTTP/1.1", "Host: h"), "target"],
  ["an asterisk with GET", lines("GET * HTTP/1.1", "Host: h"), "target"],
  ["a fragment", lines("GET /a#b HTTP/1.1", "Host: h"), "request-line"],
  ["white space before the colon", lines(post, "Host: h", "Content-Length : 3"), "space-before-colon"],
  ["a tab before the colon", lines(post, "Host: h", "X\t: 3"), "space-before-colon"],
  ["a folded line", lines(post, "Host: h", "X: a", " b"), "folded-line"],
  ["a line folded with a tab", lines(post, "Host: h", "X: a", "\tb"), "folded-line"],
  ["a first line that begins with a space", lines(post, " Host: h"), "field-name"],
  ["a name with a space", lines(post, "Host: h", "X Y: a"), "space-before-colon"],
  ["a name with a slash", lines(post, "Host: h", "X/Y: a"), "field-name"],
  ["a name with obs-text", lines(post, "Host: h", "X\xfc: a"), "field-name"],
  ["an empty name", lines(post, "Host: h", ": a"), "field-name"],
  ["a line without colon", lines(post, "Host: h", "X"), "no-colon"],
  ["a NUL in a name", lines(post, "Host: h", "X\0: a"), "control-byte"],
  ["a bare CR in a value", lines(post, "Host: h", "X: a\rb"), "bare-cr"],
  ["a bare CR before the end", lines(post, "Host: h", "X: a\r"), "bare-cr"],
  ["a bare LF in a value", lines(post, "Host: h", "X: a\nY: b"), "bare-lf"],
  ["a NUL in a value", lines(post, "Host: h", "X: a\0b"), "control-byte"],
  ["a DEL in a value", lines(post, "Host: h", "X: a\x7f"), "control-byte"],
  ["bare line feeds", "GET / HTTP/1.1\nHost: h\n\n", "bare-lf"],
  ["a bare LF as the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", "bare-lf"],
  ["a bare CR as the end", "GET / HTTP/1.1\r\nHost: h\r\n\rX", "bare-cr"],
  ["another protocol", lines("SSH-2.0-x"), "request-line"],
  ["HTTP/1.2", lines("GET / HTTP/1.2", "Host: h"), "version"],
  ["HTTP/1.x", lines("GET / HTTP/1.x", "Host: h"), "version"],
  ["HTTP/2.0", lines("GET / HTTP/2.0", "Host: h"), "version"],
  ["a version in lower case", lines("GET / http/1.1", "Host: h"), "request-line"],
  ["a version with more digits", lines("GET / HTTP/1.11", "Host: h"), "request-line"],
  ["no version", "GET /\r\n", "request-line"],
  ["a space after the version", lines("GET / HTTP/1.1 ", "Host: h"), "request-line"],
  ["two spaces before the target", lines("GET  / HTTP/1.1", "Host: h"), "request-line"],
  ["two spaces before the version", lines("GET /  HTTP/1.1", "Host: h"), "request-line"],
  ["a tab in the first line", lines("GET\t/ HTTP/1.1", "Host: h"), "control-byte"],
  ["a space in the target", lines("GET /a b HTTP/1.1", "Host: h"), "request-line"],
  ["a NUL in the target", lines("GET /\0 HTTP/1.1", "Host: h"), "control-byte"],
  ["a space before the method", lines(" GET / HTTP/1.1", "Host: h"), "request-line"],
  ["a method that is no token", lines("G(T / HTTP/1.1", "Host: h"), "request-line"],
  ["two empty lines before it", `\r\n\r\n${lines("GET / HTTP/1.1", "Host: h")}`, "request-line"],
  ["a bare LF before it", `\n${lines("GET / HTTP/1.1", "Host: h")}`, "bare-lf"],
  ["a bare CR before it", `\r${lines("GET / HTTP/1.1", "Host: h")}`, "bare-cr"],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "control-byte"],
];

/** Heads that are taken, and what is understood. */
const taken: ReadonlyArray<readonly [title: string, head: string, understood: Record<string, unknown>]> = [
  [
    "a GET",
    lines("GET /a?b HTTP/1.1", "Host: h"),
    { method: "GET", target: "/a?b", framing: "none", keepAlive: true },
  ],
  ["a length", lines(post, "Host: h", "CONTENT-length: 007 "), { framing: "length", contentLength: 7 }],
  ["chunks", lines(post, "Host: h", "transfer-encoding: Chunked "), { framing: "chunked" }],
  ["an empty host", lines("GET / HTTP/1.1", "Host:"), { framing: "none" }],
  ["HTTP/1.0 without host", lines("GET / HTTP/1.0"), { minorVersion: 0, keepAlive: false }],
  [
    "HTTP/1.0 that stays",
    lines("GET / HTTP/1.0", "Connection: Keep-Alive"),
    { keepAlive: true, hasHopLines: true },
  ],
  [
    "close",
    lines("GET / HTTP/1.1", "Host: h", "Connection: a ,CLOSE, "),
    { keepAlive: false, hasHopLines: true },
  ],
  [
    "an upgrade",
    lines("GET / HTTP/1.1", "Host: h", "Connection: Upgrade", "Upgrade: x"),
    { asksUpgrade: true },
  ],
  ["an expectation", lines(post, "Host: h", "Content-Length: 1", "Expect: 100-continue"), { expects: true }],
  ["a URL", lines("GET http://H:1?x HTTP/1.1", "Host: h:1"), { target: "http://H:1?x" }],
  ["CONNECT", lines("CONNECT a:1 HTTP/1.1", "Host: a:1"), { method: "CONNECT", target: "a:1" }],
  ["an asterisk", lines("OPTIONS * HTTP/1.1", "Host: h"), { target: "*" }],
  ["obs-text", lines("GET /\xfc HTTP/1.1", "Host: h", "X: \xfc\x80\t!"), { target: "/\xfc" }],
  ["another method", lines("m-search / HTTP/1.1", "Host: h"), { method: "m-search" }],
  ["an empty line before it", `\r\n${lines("GET / HTTP/1.1", "Host: h")}`, { method: "GET", start: 2 }],
];

const parseAll = (head: string): [HeadResult, RequestHeadParser] => {
  const parser = new RequestHeadParser();
  const bytes = bytesOf(head);
  return [parser.parse(bytes, 0, bytes.length), parser];
};

for (const [title, head, fault] of refused) {
  test(`refused: ${title}`, () => assert.equal(parseAll(head)[0], fault));
}

for (const [title, head, understood] of taken) {
  test(`taken: ${title}`, () => {
    const [result, parser] = parseAll(head);
    assert.equal(result, "complete");
    for (const [key, value] of Object.entries(understood)) assert.equal(Reflect.get(parser, key), value, key);
    assert.equal(parser.headEnd, head.length);
  });
}

test("every head cut in two at any place, each time in another buffer, is understood as if it came at once", () => {
  for (const [title, head, expected] of [
    ...refused,
    ...taken.map(([name, bytes]) => [name, bytes, "complete"] as const),
  ]) {
    for (let cut = 0; cut <= head.length; cut++) {
      const parser = new RequestHeadParser();
      const first = parser.parse(bytesOf(head.slice(0, cut)), 0, cut);
      // Elsewhere in the next buffer as well.
      const moved = bytesOf(`??${head}GET`);
      const result = first === "incomplete" ? parser.parse(moved, 2, 2 + head.length) : first;
      assert.equal(result, expected, `${title}, cut at ${cut}`);
      if (result === "complete" && first === "incomplete") {
        assert.deepEqual(
          [parser.headEnd, parser.rawHeaders],
          [2 + head.length, parseAll(head)[1].rawHeaders],
          title,
        );
      }
    }
  }
});

test("a head that comes byte by byte", () => {
  for (const [title, head] of taken) {
    const parser = new RequestHeadParser();
    const bytes = bytesOf(head);
    for (let to = 0; to < bytes.length; to++) assert.equal(parser.parse(bytes, 0, to), "incomplete", title);
    assert.equal(parser.parse(bytes, 0, bytes.length), "complete", title);
    assert.deepEqual(parser.rawHeaders, parseAll(head)[1].rawHeaders);
  }
});

test("one parser reads one head after another, what follows a head is left alone", () => {
  const parser = new RequestHeadParser();
  const first = lines("GET /1 HTTP/1.0", "A: b", "Connection: close, X");
  const second = lines("PUT /2 HTTP/1.1", "Host: h", "Content-Length: 1");
  const bytes = bytesOf(`${first}${second}x`);
  assert.equal(parser.parse(bytes, 0, bytes.length), "complete");
  const { generation } = parser;
  assert.equal(parser.parse(bytes, parser.headEnd, bytes.length), "complete");
  assert.notEqual(parser.generation, generation);
  assert.deepEqual(
    [parser.method, parser.target, parser.framing, parser.keepAlive],
    ["PUT", "/2", "length", true],
  );
  assert.deepEqual([parser.hasHopLines, parser.headEnd], [false, bytes.length - 1]);
  assert.equal(parser.parse(bytesOf("rubbish\r\n"), 0, 9), "request-line");
  assert.equal(parser.parse(bytesOf(first), 0, first.length), "complete");
  assert.equal(parser.parse(bytesOf(first), 0, 5), "incomplete");
  parser.reset();
  assert.equal(parser.parse(bytesOf(second), 0, second.length), "complete");
});

test("lines are found by name whatever their casing, joined in order; a table holds as many as come", () => {
  const many = Array.from({ length: 200 }, (_, index) => `X-${index}: ${index}`);
  const [, parser] = parseAll(
    lines("GET / HTTP/1.1", "Host: h", "baggage:a=1", ...many, "BAGGAGE: \t b=2 ", "Empty:"),
  );
  assert.equal(parser.header("baggage"), "a=1, b=2");
  assert.equal(parser.header("x-199"), "199");
  assert.equal(parser.header("empty"), "");
  assert.equal(parser.header("none"), undefined);
  assert.equal(parser.includes("baggage", "b="), true, "in a later line");
  for (const text of ["B=", "a=1,", "=2 ", "a=12"])
    assert.equal(parser.includes("baggage", text), false, text);
  assert.equal(parser.includes("baggage", "a=1"), true, "the whole value");
  assert.equal(parser.includes("empty", "a"), false);
  assert.equal(parser.includes("none", "a"), false);
  assert.deepEqual(parser.rawHeaders.slice(0, 4), ["Host", "h", "baggage", "a=1"]);
  assert.equal(parser.lineCount, 204);
});

test("lines for this hop are marked: the known ones, and those that connection names, but never framing or host", () => {
  const head = lines(
    ...["GET / HTTP/1.1", "Host: h", "Connection: x-mine, Host, content-length", "X-Mine: 1", "X: 2"],
    ...[
      "TE: trailers",
      "Keep-Alive: 1",
      "Proxy-Connection: x",
      "Upgrade: y",
      "Content-Length: 0",
      "x-MINE: 3",
    ],
  );
  const [, parser] = parseAll(head);
  const hop = Array.from({ length: parser.lineCount }, (_, line) => line).filter((line) =>
    parser.isHopLine(line),
  );
  const names = ["Connection", "X-Mine", "TE", "Keep-Alive", "Proxy-Connection", "Upgrade", "x-MINE"];
  assert.deepEqual(
    hop.map((line) => parser.nameOf(line)),
    names,
  );
  assert.equal(head.slice(parser.lineStart(4), parser.lineStart(5)), "TE: trailers\r\n");
  assert.equal(head.slice(parser.lineStart(parser.lineCount)), "\r\n");
});

test("a head and a line may be as large as their limits and no larger, whole or in pieces", () => {
  const limits = { maxHeadBytes: 100, maxLineBytes: 50 };
  const headOf = (size: number): string => {
    const head = lines("GET / HTTP/1.1", "Host: h", "A: b", "", `X: ${"x".repeat(20)}`, "Y: ");
    return `${head.slice(0, -4).replace("\r\n\r\nX", "\r\nX") + "y".repeat(size - head.length + 2)}\r\n\r\n`;
  };
  const lineOf = (size: number): string => lines("GET / HTTP/1.1", "Host: h", `X: ${"x".repeat(size - 3)}`);
  const targetOf = (size: number): string => lines(`GET /${"x".repeat(size - 14)} HTTP/1.1`, "Host: h");
  for (const [head, expected] of [
    [headOf(100), "complete"],
    [headOf(101), "head-too-large"],
    [lineOf(50), "complete"],
    [lineOf(51), "line-too-long"],
    [targetOf(50), "complete"],
    [targetOf(51), "line-too-long"],
  ] as const) {
    const bytes = bytesOf(head);
    assert.equal(new RequestHeadParser(limits).parse(bytes, 0, bytes.length), expected, head);
    const parser = new RequestHeadParser(limits);
    let result: HeadResult = "incomplete";
    for (let to = 0; to <= bytes.length && result === "incomplete"; to++) result = parser.parse(bytes, 0, to);
    assert.equal(result, expected, head);
  }
  const endless = bytesOf(`GET / HTTP/1.1\r\n${"A: b\r\n".repeat(10_000)}`);
  assert.equal(new RequestHeadParser().parse(endless, 0, endless.length), "head-too-large");
  assert.equal(defaultHeadLimits.maxHeadBytes, 32_768);
});
