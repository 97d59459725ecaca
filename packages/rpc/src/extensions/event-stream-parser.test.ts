import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventStreamParser, type ServerSentEvent } from "./event-stream-parser.ts";
import { heartbeat, writeEvent } from "./stream.ts";

const parse = (chunks: readonly Uint8Array[], maxBytes = 10_000): ServerSentEvent[] | "too-large" => {
  const parser = new EventStreamParser(maxBytes);
  const all: ServerSentEvent[] = [];
  for (const chunk of chunks) {
    const events = parser.push(chunk);
    if (events === "too-large") return events;
    all.push(...events);
  }
  return all;
};

test("events come out as they went in, wherever the bytes are cut", () => {
  const values = fc.array(fc.jsonValue(), { maxLength: 5 });
  fc.assert(
    fc.property(values, fc.array(fc.nat(), { maxLength: 6 }), (list, seeds) => {
      const data = list.map((value) => JSON.stringify(value));
      const bytes = Buffer.from(data.map((text) => heartbeat + writeEvent("data", text)).join(""));
      const cuts = [0, ...seeds.map((seed) => seed % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = cuts.slice(1).map((end, i) => bytes.subarray(cuts[i], end));
      assert.deepEqual(
        parse(chunks),
        data.map((text) => ({ event: "data", data: text })),
      );
    }),
  );
});

test("all three line ends count, several data lines are joined, an event without data is none", () => {
  const text =
    "event: a\r\ndata: 1\r\ndata:2\r\n\r\nevent: b\n\ndata\rdata: x\r\rid: 7\nretry: 1\n\n: c\n\ndata: z\n\n";
  assert.deepEqual(parse([...text].map((character) => Buffer.from(character))), [
    { event: "a", data: "1\n2" },
    { event: "message", data: "\nx" },
    { event: "message", data: "z" },
  ]);
});

test("an event beyond the limit is not held, in one line or many", () => {
  assert.equal(parse([Buffer.from(`data: ${"x".repeat(200)}`)], 100), "too-large");
  assert.equal(parse([Buffer.from("data: xxxxxxxxx\n".repeat(20))], 100), "too-large");
});

test("any bytes are parsed without a throw", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array()), (chunks) => void parse(chunks)));
});

test("an id belongs to its event alone", () => {
  const parser = new EventStreamParser(1_000);
  const events = parser.push(Buffer.from(writeEvent("data", "1", "a b") + writeEvent("data", "2")));
  assert.deepEqual(events, [
    { event: "data", data: "1", id: "a b" },
    { event: "data", data: "2" },
  ]);
});
