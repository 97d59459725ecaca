import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ChunkedScanner, type ScanResult } from "./chunked-scanner.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** What is told of a body that comes in pieces: the result, the end counted from its beginning, and the data. */
function scanAll(body: string, cuts: readonly number[]): [ScanResult, number, string] {
  const scanner = new ChunkedScanner({ maxExtensionBytes: 40, maxTrailerBytes: 60 });
  let data = "";
  let from = 0;
  for (const to of [...cuts, body.length]) {
    const piece = bytesOf(body.slice(from, to));
    const result = scanner.scan(piece, 0, piece.length, (start, end) => {
      data += piece.toString("latin1", start, end);
    });
    if (result !== "incomplete") return [result, from + scanner.end, data];
    from = to;
  }
  return ["incomplete", body.length, data];
}

const vectors: ReadonlyArray<readonly [body: string, result: ScanResult, data?: string]> = [
  ["4\r\nWiki\r\n0\r\n\r\n", "complete", "Wiki"],
  ["0004\r\nWiki\r\n5\r\npedia\r\n000\r\n\r\n", "complete", "Wikipedia"],
  ["A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "complete", "01234567890123456789"],
  ['4;a\r\nWiki\r\n0;b=c;d="e \\" f"\r\n\r\n', "complete", "Wiki"],
  ["0\r\nX-T: 1\r\nY:\r\n\r\n", "complete", ""],
  ["4\r\nWi", "incomplete", "Wi"],
  ["\r\n", "chunk-size"],
  [" 4\r\nWiki\r\n0\r\n\r\n", "chunk-size"],
  ["4 \r\nWiki\r\n0\r\n\r\n", "chunk-size"],
  ["4\nWiki\n0\n\n", "chunk-size"],
  ["4\rX", "chunk-size"],
  ["0x4\r\nWiki\r\n0\r\n\r\n", "chunk-size"],
  ["-1\r\n", "chunk-size"],
  ["+1\r\n", "chunk-size"],
  [";a\r\n", "chunk-size"],
  ["1234567890123\r\n", "chunk-size-too-large"],
  ["000000000000001\r\n", "chunk-size-too-large"],
  ["4;\r\nWiki", "chunk-extension"],
  ["4; a\r\nWiki", "chunk-extension"],
  ["4;a=\r\nWiki", "chunk-extension"],
  ['4;a="b\r\nWiki', "chunk-extension"],
  ['4;a="b"c\r\nWiki', "chunk-extension"],
  ["4;a\nWiki", "chunk-extension"],
  ["4;a\rX", "chunk-size"],
  [`4;${"a".repeat(41)}`, "chunk-extensions-too-long"],
  [`1;${"a".repeat(20)}\r\nb\r\n1;${"a".repeat(21)}`, "chunk-extensions-too-long"],
  ["4\r\nWikiX\r\n0\r\n\r\n", "chunk-end"],
  ["4\r\nWiki\n0\r\n\r\n", "chunk-end"],
  ["4\r\nWiki\r0\r\n\r\n", "chunk-end"],
  ["0\r\nX-T : 1\r\n\r\n", "trailer"],
  ["0\r\nbad\r\n\r\n", "trailer"],
  ["0\r\n: x\r\n\r\n", "trailer"],
  ["0\r\n X: y\r\n\r\n", "trailer"],
  ["0\r\nX: a\0b\r\n\r\n", "trailer"],
  ["0\r\nX: a\n\r\n", "trailer"],
  ["0\r\nX: a\r\r\n", "trailer"],
  ["0\r\n\n", "trailer"],
  ["0\r\nX: y\r\nContent-Length: 3\r\n\r\n", "trailer"],
  ["0\r\ntransfer-ENCODING: chunked\r\n\r\n", "trailer"],
  ["0\r\nHost: h\r\n\r\n", "trailer"],
  ["0\r\nConnection: close\r\n\r\n", "trailer"],
  ["0\r\n\rX", "trailer"],
  [`0\r\n${"X: yyyyyy\r\n".repeat(7)}`, "trailers-too-large"],
];

for (const [body, result, data] of vectors) {
  test(`${result}: ${JSON.stringify(body.slice(0, 60))}, cut at any two places`, () => {
    const whole = scanAll(`${body}`, []);
    assert.equal(whole[0], result);
    if (data !== undefined) assert.equal(whole[2], data);
    for (let first = 0; first <= body.length; first++) {
      for (let second = first; second <= body.length; second++) {
        assert.deepEqual(scanAll(body, [first, second]), whole, `cut at ${first} and ${second}`);
      }
    }
  });
}

test("the end is found before what follows, and the next body begins after it", () => {
  const scanner = new ChunkedScanner();
  const body = "1\r\na\r\n0\r\n\r\n";
  const bytes = bytesOf(`${body}${body}GET`);
  assert.equal(scanner.scan(bytes, 0, bytes.length), "complete");
  assert.equal(scanner.end, body.length);
  assert.equal(scanner.scan(bytes, scanner.end, bytes.length), "complete");
  assert.equal(scanner.end, 2 * body.length);
});

test("any chunks come out as they went in", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, unit: "binary-ascii" })),
      fc.array(fc.nat(200)),
      (pieces, cuts) => {
        const body = `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("")}0\r\n\r\n`;
        const sorted = cuts.map((cut) => Math.min(cut, body.length)).sort((a, b) => a - b);
        assert.deepEqual(scanAll(body, sorted), ["complete", body.length, pieces.join("")]);
      },
    ),
  );
});
