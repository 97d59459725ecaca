// @ts-check
// Every case against our own server on each of its transports; and the judge judged, who must not find all things good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadCases, readJson } from "./forrst/cases.mjs";
import { caseFor, compareExamples, examplesOf } from "./forrst/examples.mjs";
import { judge } from "./forrst/judge.mjs";
import { isMeantFor, runCase, startProbe } from "./forrst/run.mjs";
import { startServers } from "./forrst/server.mjs";
import { openTransport } from "./forrst/transports.mjs";

const cases = loadCases();

test("cases have names of their own, and there are enough of them", () => {
  assert.equal(new Set(cases.map(({ key }) => key)).size, cases.length);
  assert.ok(cases.length >= 250);
  for (const { reason } of readJson("contradictions.json")) assert.match(reason, /\.$/);
});

test("our server answers every case as the specification says, on every transport", async (suite) => {
  const servers = await startServers();
  suite.after(() => servers.close());
  const probe = await startProbe();
  suite.after(() => probe.close());
  for (const url of servers.urls) {
    const transport = openTransport(url);
    assert.ok(transport, url);
    suite.after(() => transport.close());
    await suite.test(transport.name, async () => {
      const failed = [];
      for (const one of cases.filter((each) => isMeantFor(each, transport))) {
        const { key, faults } = await runCase(one, transport, probe);
        if (faults.length > 0) failed.push({ key, faults });
      }
      assert.deepEqual(failed, []);
    });
  }
});

/**
 * @param {unknown} document @param {number} status @param {import("./forrst/judge.mjs").Expectation} expected
 */
function faultsOf(document, status, expected) {
  const headers = { "content-type": "application/json" };
  return judge({ status, headers, body: Buffer.from(JSON.stringify(document)) }, expected, "a");
}

const protocol = { name: "forrst", version: "0.1.0" };
const error = { code: "NOT_FOUND", message: "no" };

test("the judge lets right answers pass", () => {
  assert.deepEqual(faultsOf({ protocol, id: "a", result: [1] }, 200, { result: [1] }), []);
  const refused = { protocol, id: "a", result: null, errors: [error] };
  assert.deepEqual(faultsOf(refused, 404, { errors: [{ code: "NOT_FOUND" }] }), []);
});

for (const [title, document, status] of /** @type {[string, Record<string, unknown>, number][]} */ ([
  ["no protocol", { id: "a", result: 1 }, 200],
  ["another id", { protocol, id: "b", result: 1 }, 200],
  ["neither result nor errors", { protocol, id: "a" }, 200],
  ["another result", { protocol, id: "a", result: 2 }, 200],
  ["another status", { protocol, id: "a", result: 1 }, 201],
  ["an error that was not expected", { protocol, id: "a", result: null, errors: [error] }, 404],
  ["result beside errors", { protocol, id: "a", result: 1, errors: [error] }, 404],
  ["no error in the list", { protocol, id: "a", result: 1, errors: [] }, 200],
])) {
  test(`the judge finds fault with an answer that has ${title}`, () => {
    assert.notDeepEqual(faultsOf(document, status, { result: 1 }), []);
  });
}

for (const [title, wrong, status] of /** @type {[string, Record<string, unknown>, number][]} */ ([
  ["a code in small letters", { ...error, code: "not_found" }, 404],
  ["no message", { code: "NOT_FOUND" }, 404],
  ["a status of another code", error, 400],
  ["pointer and position", { ...error, source: { pointer: "/a", position: 1 } }, 404],
  ["a pointer that is none", { ...error, source: { pointer: "a" } }, 404],
  ["details that are no object", { ...error, details: [] }, 404],
])) {
  test(`the judge finds fault with an error that has ${title}`, () => {
    const document = { protocol, id: "a", result: null, errors: [wrong] };
    assert.notDeepEqual(faultsOf(document, status, { errors: [{ message: "$any" }] }), []);
  });
}

const page = [
  "## Both Ends",
  "```json",
  "// Request",
  JSON.stringify({ protocol, id: "a", call: { function: "a.b" } }),
  "// Response",
  JSON.stringify({ protocol, id: "a", result: 1 }),
  "```",
  "## Broken",
  "```json",
  '{ "id": 1, }',
  "```",
  "```sh",
  "ls",
  "```",
].join("\n");

test("examples are found in a page, each under its heading", () => {
  const examples = examplesOf("page.md", page);
  assert.deepEqual(
    examples.map(({ name, kind }) => [name, kind]),
    [
      ["page.md#both-ends", "request"],
      ["page.md#both-ends/2", "success"],
      ["page.md#broken", "not JSON"],
    ],
  );
  assert.deepEqual(
    examples.map((example) => caseFor(example)?.expect),
    [{ understood: true }, { result: 1 }, undefined],
  );
});

test("an example that is no case and has no excuse is told, and so is a name without an example", () => {
  const examples = examplesOf("page.md", page);
  const named = new Set(["page.md#both-ends", "page.md#gone"]);
  assert.deepEqual(compareExamples(examples, named, [{ reason: "No JSON.", examples: ["page.md#broken"] }]), {
    missing: ["page.md#both-ends/2"],
    unknown: ["page.md#gone"],
  });
  assert.deepEqual(
    compareExamples(examples, new Set(), [{ reason: "Old.", pages: ["page.md"] }]).missing,
    [],
  );
});
