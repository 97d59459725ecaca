import assert from "node:assert/strict";
import { test } from "node:test";
import { comparable, comparableAnswers } from "./compare.ts";

const same = (one: string, other: string): boolean => {
  try {
    assert.deepEqual(comparable(Buffer.from(one, "latin1")), comparable(Buffer.from(other, "latin1")));
    return true;
  } catch {
    return false;
  }
};

const message = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\nX-Hop: 1\r\n\r\nbody";

test("lines for one hop, and those that connection names, make no difference", () => {
  const hop = "Connection: x-hop, close\r\nKeep-Alive: 1\r\nTE: trailers\r\n";
  assert.ok(same(message.replace("\r\n", `\r\n${hop}`), message.replace("X-Hop: 1\r\n", "")));
  assert.ok(same(message.replace("HTTP/1.1", "HTTP/1.0"), message));
});

for (const [title, other] of [
  ["another target", message.replace("/ ", "/x ")],
  ["a name in other letters", message.replace("A:", "a:")],
  ["another space around a value", message.replace("A: b", "A:  b")],
  ["another order", message.replace("Host: h\r\nA: b", "A: b\r\nHost: h")],
  ["a line more", message.replace("A: b", "A: b\r\nC: d")],
  ["a line less", message.replace("A: b\r\n", "")],
  ["another body", `${message}.`],
] as const) {
  test(`${title} makes a difference`, () => assert.ok(!same(message, other)));
}

test("each interim answer is compared", () => {
  const answers = (interim: string): unknown =>
    comparableAnswers(Buffer.from(`HTTP/1.1 103 Early Hints\r\n${interim}\r\nHTTP/1.1 200 OK\r\n\r\nabc`));
  assert.equal(comparableAnswers(Buffer.from("HTTP/1.1 100 \r\n\r\nHTTP/1.1 200 OK\r\n\r\n")).length, 2);
  assert.notDeepEqual(answers("A: b\r\n"), answers("A: c\r\n"));
});
