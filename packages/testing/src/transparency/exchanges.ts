import { exchangeHeader } from "./play.ts";
import { recordedAnswers, recordedRequests } from "./recorded.ts";
import type { Exchange } from "./types.ts";

interface Body {
  readonly lines: readonly string[];
  /** As it goes over the wire. */
  readonly bytes: string;
  readonly name: string;
}

const noBody: Body = { name: "no body", lines: [], bytes: "" };
const lengthOf = (bytes: string, name: string): Body => ({
  name,
  lines: [`Content-Length: ${bytes.length}`],
  bytes,
});
const chunked = (bytes: string, name: string, ...lines: string[]): Body => ({
  name,
  lines: [...lines, "Transfer-Encoding: chunked"],
  bytes,
});

/** Every octet there is; latin1 text stands for bytes throughout. */
const everyOctet = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");

/** Framings that requests and answers have in common. */
const bodies: readonly Body[] = [
  lengthOf("", "length 0"),
  lengthOf("a", "length 1"),
  lengthOf(everyOctet, "every octet"),
  lengthOf("HTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n\r\n", "a body like messages"),
  lengthOf("x".repeat(9_000), "length 9,000"),
  { name: "a length with leading zeros", lines: ["Content-Length: 0003"], bytes: "abc" },
  chunked("0\r\n\r\n", "no chunk"),
  chunked("3\r\nabc\r\n0\r\n\r\n", "one chunk"),
  chunked("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "chunks of growing size"),
  chunked(`100\r\n${everyOctet}\r\n0\r\n\r\n`, "every octet in a chunk"),
  chunked(
    "0A\r\n0123456789\r\n00000b\r\n0123456789a\r\n000\r\n\r\n",
    "sizes with zeros in upper and lower case",
  ),
  chunked("3;a=b\r\nabc\r\n3;c\r\ndef\r\n0;d\r\n\r\n", "chunk extensions"),
  chunked('4;a="b;c"\r\nabcd\r\n0\r\n\r\n', "a quoted chunk extension"),
  chunked("3\r\n\r\n0\r\n0\r\n\r\n", "a chunk like a last chunk"),
  chunked("3\r\nabc\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n", "trailers", "Trailer: X-Sum"),
  chunked("0\r\nX-Only: \xfc\r\nX-None:\r\n\r\n", "trailers alone"),
  chunked(`2000\r\n${"y".repeat(8_192)}\r\n1\r\nz\r\n0\r\n\r\n`, "a long chunk"),
];

const requestBodies: readonly Body[] = [noBody, ...bodies];
const answerBodies: readonly Body[] = [
  ...bodies,
  { name: "a body until the connection's end", lines: [], bytes: "until the end" },
  { name: "an empty body until the connection's end", lines: [], bytes: "" },
];

// Those that may carry a body in common use, and some that few have heard of.
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
const rareMethods = ["PROPFIND", "REPORT", "MKCOL", "LOCK", "M-SEARCH", "PURGE", "SEARCH", "QUERY", "SOURCE"];

const statuses = [
  "200 OK",
  "201 Created",
  "202 Accepted",
  "203 Non-Authoritative Information",
  "204 No Content",
  "205 Reset Content",
  "206 Partial Content",
  "207 Multi-Status",
  "226 IM Used",
  "299 Odd \xfc",
  "300 Multiple Choices",
  "301 Moved Permanently",
  "303 See Other",
  "304 Not Modified",
  "307 Temporary Redirect",
  "308 Permanent Redirect",
  "400 Bad Request",
  "401 Unauthorized",
  "402 ",
  "404 Not Found",
  "405 Method Not Allowed",
  "406 Not  two   spaces",
  "408 Request Timeout",
  "409 Conflict",
  "413 Content Too Large",
  "418 I'm a teapot",
  "421 Misdirected Request",
  "429 Too Many Requests",
  "431 Request Header Fields Too Large",
  "451 Unavailable For Legal Reasons",
  "499 Client Closed Request",
  "500 Internal Server Error",
  "502 Bad Gateway",
  "503 Service Unavailable",
  "504 Gateway Timeout",
  "599 Network Connect Timeout",
  "600 Beyond",
  "999 Request denied",
];

const targets = [
  "/",
  "//",
  "/a/../b/./c",
  "/%41%zz%",
  "/a?b=c&b=d&e",
  "/?",
  "/??x",
  "/a;b=c,d",
  "/~!$&'()*+,;=:@-._",
  '/[x]{y}|z^`\\"<>',
  `/${"long/".repeat(200)}`,
  "http://h/absolute?x=y",
  "http://h",
];

/** Lines at which something that rewrites heads would stumble; each list is one exchange's. */
const oddLines: readonly (readonly string[])[] = [
  ["x-lower: a", "X-UPPER: b", "X-mIxEd: c"],
  ["X-Same: 1", "X-Other: 2", "x-same: 3", "X-SAME: 1"],
  ["X-Octets: \x80\xa0\xff \xc3\xbc"],
  ["X-Empty:", "X-Blank:   ", "X-Tabs:\t\ta\t\tb\t"],
  ["X-None:a", "X-Two:  a  "],
  ["!#$%&'*+-.^_`|~09: every sign that a name may have"],
  ["Cookie: a=b; c=d", "Cookie: e=f", "Set-Cookie: g=h", "Set-Cookie: i=j; Path=/"],
  ["X-Long: ".padEnd(8_000, "z")],
  [`${"X-Long-Name".padEnd(300, "-n")}: a`],
  Array.from({ length: 120 }, (_, index) => `X-Many-${index % 60}: ${index}`),
  [
    "baggage: a=1;p=q",
    "Baggage: b=2",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ],
  ["X-Comma: a,b ,, c", 'X-Quoted: "a, \\"b\\""', "X-Colon: a:b::c"],
  ["Via: 1.1 somebody", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Age: 0", "Date: today"],
  ["Accept-Encoding: gzip;q=0, identity", "Content-Encoding: none", "Content-Type: text/plain;charset=\xfc"],
];

/** Every exchange. The same each time, numbered from 0 by their place in the list. */
export function allExchanges(): Exchange[] {
  const list: Exchange[] = [];
  const add = (title: string, request: Sent, answer: Sent): void => {
    list.push(build(`${list.length}: ${title}`, list.length, request, answer));
  };
  const ok: Sent = { start: "HTTP/1.1 200 OK", body: lengthOf("ok", "ok") };
  const get: Sent = { start: "GET / HTTP/1.1", body: noBody };
  for (const method of methods) {
    for (const body of requestBodies) {
      add(`${method} with ${body.name}`, { start: `${method} /m HTTP/1.1`, body }, ok);
    }
    for (const body of answerBodies) {
      const request = { ...get, start: `${method} /a HTTP/1.1` };
      add(`${method} answered with ${body.name}`, request, { start: "HTTP/1.1 200 OK", body });
    }
  }
  for (const method of rareMethods) add(method, { ...get, start: `${method} / HTTP/1.1` }, ok);
  for (const status of statuses) {
    for (const body of statusBodies(status)) {
      add(`${status} with ${body.name}`, get, { start: `HTTP/1.1 ${status}`, body });
    }
  }
  for (const target of targets) add(`target ${target}`, { ...get, start: `GET ${target} HTTP/1.1` }, ok);
  for (const lines of oddLines) {
    const name = lines.length > 6 ? `${lines.length} lines` : lines.join(" | ").slice(0, 80);
    add(`request with ${name}`, { ...get, lines }, ok);
    add(`answer with ${name}`, get, { ...ok, lines });
    add(
      `POST and answer with ${name}`,
      { start: "POST / HTTP/1.1", lines, body: bodies[7] as Body },
      { ...ok, lines },
    );
  }
  for (const answer of oldAnswers) add(`an answer of HTTP/1.0: ${answer.body.name}`, get, answer);
  for (const body of [lengthOf("ok", "a length"), ...answerBodies.slice(-2)]) {
    add(`a client of HTTP/1.0, ${body.name}`, { ...get, start: "GET / HTTP/1.0" }, { ...ok, body });
  }
  for (const [requestIndex, request] of recordedRequests.entries()) {
    for (const [answerIndex, answer] of recordedAnswers.entries()) {
      // No chunks are sent to a client of HTTP/1.0. Source: RFC 9112 §6.1
      if (/ HTTP\/1\.0\r\n/.test(request) && /chunked/.test(answer)) continue;
      add(`recorded request ${requestIndex}, recorded answer ${answerIndex}`, split(request), split(answer));
    }
  }
  return list;
}

/** Framings that a status may have. */
function statusBodies(status: string): readonly Body[] {
  if (status.startsWith("204")) return [noBody];
  // Source: RFC 9110 §15.3.6
  if (status.startsWith("205")) return [answerBodies[0] as Body];
  // A length in a 304 is that of what is not sent. Source: RFC 9110 §8.6
  if (status.startsWith("304"))
    return [noBody, { name: "a length", lines: ["Content-Length: 7"], bytes: "" }];
  return [answerBodies[1] as Body, answerBodies[7] as Body, answerBodies.at(-2) as Body];
}

const oldAnswers: readonly Sent[] = [
  { start: "HTTP/1.0 200 OK", body: lengthOf("old", "a length") },
  { start: "HTTP/1.0 404 Not Found", body: { name: "until the end", lines: [], bytes: "gone" } },
];

interface Sent {
  readonly start: string;
  readonly lines?: readonly string[];
  readonly body: Body;
}

/** A recorded message: its lines after the start line carry its framing. */
function split(text: string): Sent {
  const headEnd = text.indexOf("\r\n\r\n");
  const [start = "", ...lines] = text.slice(0, headEnd).split("\r\n");
  return { start, lines, body: { name: "recorded", lines: [], bytes: text.slice(headEnd + 4) } };
}

function build(title: string, number: number, request: Sent, answer: Sent): Exchange {
  const requestLines = [...(request.lines ?? []), ...request.body.lines];
  const answerLines = [...(answer.lines ?? []), ...answer.body.lines];
  const hasHost = requestLines.some((line) => /^host:/i.test(line));
  const isHead = request.start.startsWith("HEAD ");
  const bytesOf = (start: string, lines: readonly string[], body: string): Buffer =>
    Buffer.from([start, ...lines, "", body].join("\r\n"), "latin1");
  const hasFraming = answerLines.some((line) => /^(?:content-length|transfer-encoding):/i.test(line));
  const isBodiless = isHead || /^HTTP\/1\.. (?:204|304)/.test(answer.start);
  const closes = [...requestLines, ...answerLines].some((line) => /^connection:.*close/i.test(line));
  return {
    title,
    request: bytesOf(
      request.start,
      [...(hasHost ? [] : ["Host: h"]), `${exchangeHeader}: ${number}`, ...requestLines],
      request.body.bytes,
    ),
    answer: bytesOf(answer.start, answerLines, isBodiless ? "" : answer.body.bytes),
    endsConnection: !hasFraming && !isBodiless,
    isLast: closes || request.start.endsWith("HTTP/1.0") || answer.start.startsWith("HTTP/1.0"),
  };
}
