import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeadFault } from "./faults.ts";
import { ResponseHeadParser } from "./response-head-parser.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");
const lines = (...all: string[]): string => [...all, "", ""].join("\r\n");
const ok = "HTTP/1.1 200 OK";

const refused: ReadonlyArray<readonly [title: string, head: string, fault: HeadFault]> = [
  ["both lengths", lines(ok, "Content-Length: 3", "Transfer-Encoding: chunked"), "both-lengths"],
  ["two lengths", lines(ok, "Content-Length: 3", "Content-Length: 3"), "two-content-lengths"],
  ["a coding that is not chunked", lines(ok, "Transfer-Encoding: gzip, chunked"), "transfer-encoding"],
  [
    "chunks in HTTP/1.0",
    lines("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
    "transfer-encoding-in-http10",
  ],
  ["chunks in a 204", lines("HTTP/1.1 204 No", "Transfer-Encoding: chunked"), "transfer-encoding"],
  ["a status that is none", lines("HTTP/1.1 099 X"), "status-line"],
  ["a status of four digits", lines("HTTP/1.1 2000 X"), "status-line"],
  ["a status of two digits", lines("HTTP/1.1 20 X"), "status-line"],
  ["another protocol", lines("SSH-2.0-x"), "status-line"],
  ["another version", lines("HTTP/1.2 200 OK"), "version"],
  ["a letter for the minor version", lines("HTTP/1.x 200 OK"), "version"],
  ["an interim answer of HTTP/1.0", lines("HTTP/1.0 100 Continue"), "status-line"],
  ["HTTP/2", lines("HTTP/2.0 200 OK"), "version"],
  ["a control byte in the reason", lines("HTTP/1.1 200 O\0K"), "control-byte"],
  ["a bare LF in the first line", "HTTP/1.1 200 OK\nA: b\r\n\r\n", "bare-lf"],
  ["a bare CR in the first line", lines("HTTP/1.1 200 O\rK"), "bare-cr"],
  ["a bare CR without a reason", lines("HTTP/1.1 200\r"), "bare-cr"],
  ["a folded line", lines(ok, "A: b", " c"), "folded-line"],
];

const taken: ReadonlyArray<readonly [title: string, head: string, understood: Record<string, unknown>]> = [
  [
    "a length",
    lines("HTTP/1.1 299 Odd \xfc", "Content-Length: 2"),
    { status: 299, reason: "Odd \xfc", framing: "length" },
  ],
  ["chunks", lines(ok, "Transfer-Encoding: chunked"), { framing: "chunked", keepAlive: true }],
  ["neither", lines(ok), { framing: "until-close" }],
  ["an empty reason", lines("HTTP/1.1 200 "), { reason: "", framing: "until-close" }],
  ["no reason and no space", lines("HTTP/1.1 200", "Content-Length: 0"), { reason: "", framing: "length" }],
  ["HTTP/1.0", lines("HTTP/1.0 200 OK", "Content-Length: 1"), { minorVersion: 0, keepAlive: false }],
  ["HTTP/1.0 that stays", lines("HTTP/1.0 200 OK", "Connection: keep-alive"), { keepAlive: true }],
  ["close", lines(ok, "Connection: close"), { keepAlive: false }],
  ["204 with a length", lines("HTTP/1.1 204 No Content", "Content-Length: 0"), { framing: "none" }],
  ["304 with a length", lines("HTTP/1.1 304 Not Modified", "Content-Length: 50"), { framing: "none" }],
  ["304 in chunks", lines("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"), { framing: "none" }],
  ["100", lines("HTTP/1.1 100 Continue"), { status: 100, framing: "none" }],
  [
    "101",
    lines("HTTP/1.1 101 Go", "Connection: upgrade", "Upgrade: x"),
    { asksUpgrade: true, framing: "none" },
  ],
];

test("answers are refused for one reason each, taken with what they say, wherever they are cut", () => {
  for (const [title, head, expected, understood] of [
    ...refused.map(([name, bytes, fault]) => [name, bytes, fault, {}] as const),
    ...taken.map(([name, bytes, said]) => [name, bytes, "complete", said] as const),
  ]) {
    for (let cut = 0; cut <= head.length; cut++) {
      const parser = new ResponseHeadParser();
      const first = parser.parse(bytesOf(head.slice(0, cut)), 0, cut);
      const all = bytesOf(head);
      const result = first === "incomplete" ? parser.parse(all, 0, all.length) : first;
      assert.equal(result, expected, `${title}, cut at ${cut}`);
      if (result !== "complete") continue;
      for (const [key, value] of Object.entries(understood))
        assert.equal(Reflect.get(parser, key), value, key);
      assert.equal(parser.headEnd, head.length);
      assert.equal(head[parser.minorVersionAt], String(parser.minorVersion));
    }
  }
});
