import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfFieldValue, isFieldValue, wordsOf } from "./bytes.ts";

/** Byte by byte, as the rule is written. */
function slowEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isFieldValue[bytes[at] as number] === 1) at++;
  return at;
}

function assertEnd(bytes: Uint8Array, from: number, to: number): void {
  const expected = slowEnd(bytes, from, to);
  if (endOfFieldValue(bytes, wordsOf(bytes), from, to) !== expected) {
    assert.fail(`${from}–${to} of ${Buffer.from(bytes).toString("hex")} does not end at ${expected}`);
  }
}

test("a value ends at the first byte that may not be in it, wherever that stands, whatever stands before and behind", () => {
  const buffer = new ArrayBuffer(64);
  const offsets = [0, 1, 2, 3].map((offset) => new Uint8Array(buffer, offset, 40 - offset));
  for (const bytes of offsets)
    for (const filler of [0x20, 0x61, 0x7e, 0x80, 0xff]) {
      for (let byte = 0; byte < 256; byte++) {
        for (let at = 0; at < 9; at++) {
          bytes.fill(filler);
          bytes[at] = byte;
          for (const behind of [0x00, 0x09, 0x0a, 0x7f, 0xff]) {
            bytes[at + 1] = behind;
            for (const to of [at, at + 1, at + 2, 12, bytes.length])
              for (let from = 0; from < 4; from++) assertEnd(bytes, from, to);
          }
        }
      }
    }
});

test("all pairs of neighbours that a borrow or a carry could confuse", () => {
  const edges = [0x00, 0x01, 0x09, 0x0d, 0x1f, 0x20, 0x21, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff];
  const bytes = new Uint8Array(8);
  for (const a of edges) {
    for (const b of edges) {
      for (const c of edges) {
        for (const d of edges) {
          bytes.set([a, b, c, d, 0x61, 0x61, 0x61, 0x0d]);
          assertEnd(bytes, 0, 8);
        }
      }
    }
  }
});
