import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestHeadParser, ResponseHeadParser } from "@clew/wire";
import fc from "fast-check";
import { forwardAnswerHead, forwardRequestHead } from "./forwarded-head.ts";
import type { HeaderEdits } from "./types.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const head = (first: string, ...lines: string[]): string => [first, ...lines, "", ""].join("\r\n");
const get = "GET / HTTP/1.1";
const ok = "HTTP/1.1 200 OK";
const body = "body";

function request(text: string, edits?: HeaderEdits, upgrade = false): string {
  const parser = new RequestHeadParser();
  // Not at the buffer's beginning, and with bytes behind that go on with it.
  const bytes = bytesOf(`??${text}${body}`);
  assert.equal(parser.parse(bytes, 2, bytes.length), "complete");
  const end = parser.headEnd + body.length;
  const forwarded = forwardRequestHead(parser, bytes, end, { edits, upgrade }).toString("latin1");
  assert.ok(forwarded.endsWith(`\r\n\r\n${body}`));
  return forwarded.slice(0, -body.length);
}

function answer(text: string, options: Partial<Parameters<typeof forwardAnswerHead>[3]> = {}): string {
  const parser = new ResponseHeadParser();
  const bytes = bytesOf(`??${text}${body}`);
  assert.equal(parser.parse(bytes, 2, bytes.length), "complete");
  const forwarding = { edits: undefined, upgrade: false, closes: false, ...options };
  const forwarded = forwardAnswerHead(parser, bytes, bytes.length, forwarding).toString("latin1");
  assert.ok(forwarded.endsWith(`\r\n\r\n${body}`));
  return forwarded.slice(0, -body.length);
}

const hopNames = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];
const endToEnd = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
  .filter((name) => !hopNames.includes(name.toLowerCase()) && name.toLowerCase() !== "host");
const anyCase = (name: string): fc.Arbitrary<string> =>
  fc.mixedCase(fc.constant(name), { toggleCase: (char) => char.toUpperCase() });
const value = fc.stringMatching(/^[!-~]{0,10}$/);
const line = fc.record({
  name: fc.oneof(endToEnd, ...hopNames.filter((name) => name !== "connection").map(anyCase)),
  value,
});

test("every line that is not for one hop stays, in its place, casing and number; no other does", () => {
  fc.assert(
    fc.property(fc.array(line), fc.subarray(["x-a", "te", "host"]), (lines, nominated) => {
      const text = lines.map((each) => `${each.name}: ${each.value}`);
      const kept = lines.filter(({ name, value: said }) => {
        const lower = name.toLowerCase();
        if (lower === "te") return said.toLowerCase() === "trailers";
        return !hopNames.includes(lower) && !nominated.includes(lower);
      });
      const expected = kept.map((each) => `${each.name}: ${each.value}`);
      const connection = `Connection: ${nominated.join(", ")}`;
      assert.equal(request(head(get, "Host: h", connection, ...text)), head(get, "Host: h", ...expected));
      // Nobody asks a client for trailers.
      const forClient = expected.filter((each) => !/^te:/i.test(each));
      assert.equal(answer(head(ok, ...text, connection)), head(ok, ...forClient));
      const closed = head(ok, ...forClient, "Connection: close");
      assert.equal(answer(head(ok, ...text, connection), { closes: true }), closed);
    }),
  );
});

test("a head with nothing to take out goes on in the memory it came in", () => {
  const parser = new RequestHeadParser();
  const bytes = bytesOf(head(get, "Host: h"));
  parser.parse(bytes, 0, bytes.length);
  const forwarded = forwardRequestHead(parser, bytes, bytes.length, { edits: undefined, upgrade: false });
  assert.equal(forwarded.buffer, bytes.buffer);
});

test("an upgrade keeps its two lines, and only the option that is its own", () => {
  const lines = ["Host: h", "Connection: keep-alive, Upgrade, X", "Upgrade: websocket", "X: 1", "Y: 2"];
  const expected = head(get, "Host: h", "Connection: Upgrade", "Upgrade: websocket", "Y: 2");
  assert.equal(request(head(get, ...lines), undefined, true), expected);
  assert.equal(request(head(get, ...lines)), head(get, "Host: h", "Y: 2"));
});

test("edits see lower-case names, remove all lines of one, and add after that", () => {
  const edits = { remove: ["a"], set: [["a", "4"]] as const };
  assert.equal(
    request(head(get, "Host: h", "A: 1", "a: 2", "B: 3"), edits),
    head(get, "Host: h", "B: 3", "a: 4"),
  );
  assert.equal(answer(head(ok, "A: 1", "a: 2", "B: 3"), { edits }), head(ok, "B: 3", "a: 4"));
});

test("the version is our own, and a request of HTTP/1.0 gets the host line that HTTP/1.1 asks for", () => {
  assert.equal(request(head("GET / HTTP/1.0", "A: b")), head(get, "Host: ", "A: b"));
  assert.equal(request(head("GET / HTTP/1.0", "Host: h")), head(get, "Host: h"));
  assert.equal(answer(head("HTTP/1.0 200 OK", "A: b")), head(ok, "A: b"));
});

test("of te only the wish for trailers is left, and an answer that is framed anew says so", () => {
  assert.equal(
    request(head(get, "Host: h", "te:gzip,trailers", "TE: x")),
    head(get, "Host: h", "te: trailers"),
  );
  const lines = ["Content-Length: 4", "Trailer: T", "A: b"];
  const chunked = head(ok, "A: b", "Transfer-Encoding: chunked");
  assert.equal(answer(head(ok, ...lines), { reframed: "chunked" }), chunked);
  const closed = head(ok, "A: b", "Connection: close");
  assert.equal(answer(head(ok, ...lines), { reframed: "close", closes: true }), closed);
});
