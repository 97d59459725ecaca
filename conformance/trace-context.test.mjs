// @ts-check
// The W3C Trace Context specification's requirements of a participant, as cases of our own, over real sockets: a
// service with nothing but `--import @clew/node` is asked to call on, and what it sends is compared.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { startUpstream } from "@clew/testing";
import { startService } from "./w3c/start-service.mjs";

/** @typedef {{ title: string, headers: [string, string][], trace: "continued" | "new", flags?: number, tracestate?: string[] | null, oneOf?: string[], calls?: number }} Case */
/** @typedef {{ traceId: string, parentId: string, flags: number, tracestate: string[] }} Sent */

const folder = new URL("trace-context/", import.meta.url);
/** @type {{ title: string, cases: Case[] }[]} */
const groups = readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")));

/**
 * By a bare socket, since every client has an opinion of its own on white space and doubled headers.
 * @param {URL} url @param {[string, string][]} headers @param {string} body
 */
async function post(url, headers, body) {
  const socket = connect(Number(url.port), url.hostname);
  const lines = headers.map(([name, value]) => `${name}:${value}\r\n`).join("");
  const length = Buffer.byteLength(body);
  socket.write(
    `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n${lines}Content-Length: ${length}\r\n\r\n${body}`,
  );
  assert.match(await text(socket), /^HTTP\/1\.1 200 /);
}

/**
 * What a call carried; there must be exactly one well-formed traceparent.
 * @param {string[]} rawHeaders
 * @returns {Sent}
 */
function sentIn(rawHeaders) {
  const valuesOf = (/** @type {string} */ name) =>
    rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
  const traceparents = valuesOf("traceparent");
  assert.equal(traceparents.length, 1, "one traceparent");
  const parts = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(
    traceparents[0] ?? "",
  );
  assert.ok(parts, `well-formed: ${traceparents[0]}`);
  const members = valuesOf("tracestate").flatMap((line) => line.split(","));
  return {
    traceId: String(parts[1]),
    parentId: String(parts[2]),
    flags: Number.parseInt(String(parts[3]), 16),
    tracestate: members
      .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
      .filter((member) => member !== ""),
  };
}

/** @param {Case} expected @param {Sent} sent */
function assertSent(expected, sent) {
  const came = expected.headers.map(([, value]) => value).join("\n");
  // The ids that a service is given are in what it got, whatever else is wrong with that.
  assert.equal(came.includes(sent.traceId), expected.trace === "continued", `trace id ${sent.traceId}`);
  assert.ok(!came.includes(sent.parentId), "a parent id of its own");
  const flags = expected.flags ?? 0;
  assert.equal(sent.flags & flags, flags, `flags ${sent.flags}`);
  assert.equal(sent.flags & ~3, 0, "no flags but the known ones");
  if (expected.tracestate !== undefined) assert.deepEqual(sent.tracestate, expected.tracestate ?? []);
  if (expected.oneOf) assert.ok(expected.oneOf.some((member) => sent.tracestate.includes(member)));
}

for (const client of ["http", "fetch"]) {
  test(`a participant of traces, by ${client}`, async (suite) => {
    /** @type {string[][]} */
    const calls = [];
    const upstream = await startUpstream({
      handle: (req, res) => {
        calls.push(req.rawHeaders);
        res.end();
      },
    });
    suite.after(() => upstream[Symbol.asyncDispose]());
    const service = await startService({ client });
    suite.after(service.close);
    for (const { title, cases } of groups) {
      await suite.test(title, async (group) => {
        for (const expected of cases) {
          await group.test(expected.title, async () => {
            calls.length = 0;
            const plan = Array.from({ length: expected.calls ?? 1 }, () => ({
              url: upstream.url,
              arguments: [],
            }));
            await post(new URL(service.url), expected.headers, JSON.stringify(plan));
            const sent = calls.map(sentIn);
            assert.equal(sent.length, plan.length);
            for (const one of sent) assertSent(expected, one);
            assert.equal(
              new Set(sent.map(({ parentId }) => parentId)).size,
              plan.length,
              "parent ids differ",
            );
            if (expected.trace === "continued") {
              assert.equal(new Set(sent.map(({ traceId }) => traceId)).size, 1, "one trace");
            }
          });
        }
      });
    }
  });
}
