import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader, type ReadFrame, writeFrame } from "./frame-reader.ts";

/** Feeds `bytes` in pieces of the given sizes, over and over. */
function readInPieces(reader: FrameReader, bytes: Buffer, sizes: readonly number[]): ReadFrame[] {
  const frames: ReadFrame[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    // A copy, as a socket's buffer is used again.
    frames.push(...reader.push(Buffer.from(bytes.subarray(at, at + size))));
    at += size;
  }
  return frames;
}

test("frames come back whole however they are cut, and one that is too large costs only itself", () => {
  const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(texts, sizes, (written, cuts) => {
      const reader = new FrameReader(50);
      const frames = readInPieces(reader, Buffer.concat(written.map(writeFrame)), cuts);
      const expected = written.map((text) => {
        const payload = Buffer.from(text);
        return payload.length > 50 ? { tooLargeBytes: payload.length } : { payload };
      });
      assert.deepEqual(frames, expected);
      assert.ok(reader.isBetweenFrames);
    }),
  );
});

test("a stream that ends inside a length or a payload is known to be cut", () => {
  const frame = writeFrame("abc");
  for (let size = 1; size < frame.length; size++) {
    const reader = new FrameReader(50);
    assert.deepEqual(reader.push(frame.subarray(0, size)), []);
    assert.equal(reader.isBetweenFrames, false);
  }
});
