// @ts-check
// Our cases, cut everywhere, beside Node's parser; and the judges judged, who must not find all things good. nginx, HAProxy and the
// corpus of llhttp are asked by command: npm run conformance:http.
import assert from "node:assert/strict";
import { test } from "node:test";
import { escaped, loadCases } from "./http/cases.mjs";
import { messagesOf, withHost } from "./http/llhttp.mjs";
import { readRequestsWithNode } from "./http/node-reader.mjs";
import { askNode, askSplit, judgeCase, readOurselves } from "./http/run.mjs";
import { differences, sameInAll } from "./http/understanding.mjs";

const cases = loadCases();

test("cases have names of their own, name a paragraph, and there are enough of them", () => {
  assert.equal(new Set(cases.map(({ key }) => key)).size, cases.length);
  assert.ok(cases.length >= 400);
  for (const { key, source, accept, refuse } of cases) {
    assert.match(source, /^RFC \d{4} §[\d.]+$/, key);
    assert.ok((accept === undefined) !== (refuse === undefined), key);
  }
});

test("each case is understood, or refused, as it says, however it is cut, and by Node's parser alike", async () => {
  const failed = [];
  for (const one of cases) {
    const ours = readOurselves(one);
    const faults = [...judgeCase(one, ours), ...askSplit(one, ours), ...((await askNode(one, ours)) ?? [])];
    if (faults.length > 0) failed.push({ key: one.key, bytes: escaped(one.bytes).slice(0, 400), faults });
  }
  assert.deepEqual(failed, []);
});

const head = "POST / HTTP/1.1\r\nHost: h\r\n";
/** As a reader would understand it that reads lengths alone, and takes what comes after them for the next request. */
const naive = (/** @type {string} */ body) => ({
  ...{ method: "POST", target: "/", version: "1.1", body, complete: true, trailers: [] },
  headers: /** @type {[string, string][]} */ ([
    ["host", "h"],
    ["content-length", "3"],
  ]),
});

for (const [title, bytes, messages] of /** @type {[string, string, ReturnType<typeof naive>[]][]} */ ([
  ["another body", `${head}Content-Length: 3\r\n\r\nabc`, [naive("abcd")]],
  [
    "no end where there is one",
    `${head}Content-Length: 3\r\n\r\nabc`,
    [{ ...naive("abc"), complete: false }],
  ],
  ["no message where there is one", `${head}Content-Length: 3\r\n\r\nabc`, []],
  ["a message where there is none yet", `${head}Content-Length: 3\r\n\r\nab`, [naive("ab")]],
  ["one message more", `${head}Content-Length: 3\r\n\r\nabc`, [naive("abc"), naive("abc")]],
])) {
  test(`a reader that understands ${title} is found`, async () => {
    const input = Buffer.from(bytes, "latin1");
    const ours = readOurselves({ bytes: input, side: "request" });
    assert.notDeepEqual(differences(ours, { messages, end: "open" }, sameInAll), []);
    assert.deepEqual(differences(ours, await readRequestsWithNode([input]), sameInAll), []);
  });
}

test("a reader that takes what we refuse is no difference", async () => {
  const input = Buffer.from("GET /  HTTP/1.1\r\nHost: h\r\n\r\n");
  const ours = readOurselves({ bytes: input, side: "request" });
  const node = await readRequestsWithNode([input]);
  assert.deepEqual([ours.end, node.messages.length], ["refused", 1]);
  assert.deepEqual(differences(ours, node, sameInAll), []);
});

test("llhttp's notation is read as its own tests read it", () => {
  const page = [
    "### One",
    '<!-- meta={"type": "request"} -->',
    "```http",
    "GET /\\x41\\t HTTP/1.1",
    "A: b\\",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is theirs, to be filled when it is read
    "c${'d'.repeat(3)}",
    "",
    "",
    "```",
    "",
    "```log",
    "off=1 error code=6 reason=no",
    "```",
  ].join("\n");
  const [message, ...none] = messagesOf("request/page.md", "request", page);
  assert.equal(none.length, 0);
  assert.deepEqual([message?.key, message?.refused], ["request/page.md:2", true]);
  assert.equal(message?.bytes.toString("latin1"), "GET /A\t HTTP/1.1\r\nA: bcddd\r\n\r\n");
  assert.equal(
    withHost(message?.bytes ?? Buffer.alloc(0))?.toString("latin1"),
    "GET /A\t HTTP/1.1\r\nHost: h\r\nA: bcddd\r\n\r\n",
  );
});
