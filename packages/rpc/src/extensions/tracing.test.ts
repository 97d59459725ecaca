import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { context, extractContext } from "@clew/context";
import { createClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import type { Call } from "../server/call.ts";
import { createServer } from "../server/create-server.ts";
import { post, urnOf } from "../test/extension-fixtures.ts";
import { anything, type Listening, listen, nothing } from "../test/fixtures.ts";
import { traceparentOf } from "./trace-ids.ts";
import type { Trace } from "./tracing.ts";

const urn = urnOf("tracing");
const hop = defineFunction({ name: "a.hop", version: "1.0.0", arguments: nothing, result: anything });
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

interface Seen {
  readonly trace: Trace | undefined;
  readonly traceparent: string | undefined;
  readonly fields: object;
  /** As the header said: of the sender's span. */
  readonly senderParent: string | undefined;
}

/** Notes its trace, then calls the next without a word of it. */
async function startHop(seen: Seen[], next?: string): Promise<Listening> {
  const downstream = next === undefined ? undefined : createClient({ url: next, service: "hop" });
  let senderParent: string | undefined;
  const admit = ({ headers }: IncomingMessage): void => {
    senderParent = headers["x-forrst-parent-span-id"] as string | undefined;
  };
  const server = createServer({ service: "a", onContextFault: () => {}, admit });
  server.implement(hop, async (_, call: Call) => {
    const fields = Object.fromEntries(call.context.entries());
    seen.push({ trace: call.trace, traceparent: context.current()?.traceparent, fields, senderParent });
    await downstream?.call(hop, {});
    downstream?.close();
  });
  return await listen(server);
}

test("the answer has the trace, a span of the server's own and the time it took (extensions/tracing, Behavior)", async () => {
  const seen: Seen[] = [];
  await using service = await startHop(seen);
  const options = { trace_id: "abc123def456", span_id: "span_client_001", baggage: { region: "us-west" } };
  const { data } = await post(service.url, "a.hop", [{ urn, options }]);
  const { trace_id, span_id, duration } = data(urn) as Record<string, unknown>;
  assert.equal(trace_id, "abc123def456");
  assert.match(String(span_id), /^[0-9a-f]{16}$/);
  assert.equal((duration as { unit: string }).unit, "millisecond");
  const { baggage } = options;
  assert.deepEqual(seen[0]?.trace, {
    traceId: trace_id,
    spanId: span_id,
    parentSpanId: "span_client_001",
    baggage,
  });
});

test("a request that is refused before its function is found is in the trace, too", async () => {
  await using service = await startHop([]);
  const options = { trace_id: "abc", span_id: "first" };
  const unknown = await post(service.url, "a.unknown", [{ urn, options }]);
  const { trace_id, span_id, duration } = unknown.data(urn) as Record<string, unknown>;
  assert.deepEqual([unknown.codes, trace_id], [["FUNCTION_NOT_FOUND /call/function"], "abc"]);
  assert.match(String(span_id), /^[0-9a-f]{16}$/);
  assert.equal((duration as { unit: string }).unit, "millisecond");
  const required = { urn: "urn:acme:forrst:ext:x", options: {}, required: true };
  const unsupported = await post(service.url, "a.hop", [{ urn, options }, required]);
  assert.equal(unsupported.data(urn)?.["trace_id"], "abc");
  const faulty = await post(service.url, "a.hop", [{ urn, options: { trace_id: "abc" } }]);
  assert.equal(faulty.extensions, undefined);
});

test("three hops are one trace of fresh spans, each the child of the one before, and nothing of it is in the context", async () => {
  const seen: Seen[] = [];
  await using c = await startHop(seen);
  await using b = await startHop(seen, c.url);
  await using a = await startHop(seen, b.url);
  const options = { trace_id: "abc", span_id: "first", baggage: { tier: "gold" } };
  await post(a.url, "a.hop", [{ urn, options }]);
  const [atA, atB, atC] = seen.map(({ trace }) => trace) as [Trace, Trace, Trace];
  assert.deepEqual([atA.traceId, atB.traceId, atC.traceId], ["abc", "abc", "abc"]);
  assert.equal(atA.parentSpanId, "first");
  const spans = new Set([atA, atB, atC].flatMap(({ spanId, parentSpanId }) => [spanId, parentSpanId]));
  // Six: what the client sends is a span of its own, whose parent is the server's before.
  assert.equal(spans.size, 6);
  assert.deepEqual(
    seen.map(({ senderParent }) => senderParent),
    [undefined, atA.spanId, atB.spanId],
  );
  assert.deepEqual(atC.baggage, { tier: "gold" });
  for (const { fields } of seen) assert.deepEqual(fields, {});
});

test("a trace that came by traceparent alone goes on in the extension, and the header unchanged", async () => {
  const seen: Seen[] = [];
  await using b = await startHop(seen);
  await using a = await startHop(seen, b.url);
  await post(a.url, "a.hop", [], { headers: { traceparent } });
  assert.deepEqual(
    seen.map(({ trace }) => trace?.traceId),
    Array(2).fill("0af7651916cd43dd8448eb211c80319c"),
  );
  assert.equal(seen[0]?.trace?.parentSpanId, "b7ad6b7169203331");
  assert.deepEqual(
    seen.map((entry) => entry.traceparent),
    [traceparent, traceparent],
  );
});

test("a trace that came by the extension alone goes on as traceparent, by the documented hash, for whoever knows only that", async () => {
  const seen: Seen[] = [];
  await using b = await startHop(seen);
  await using a = await startHop(seen, b.url);
  await post(a.url, "a.hop", [{ urn, options: { trace_id: "tr_abc123def456", span_id: "sp_001" } }]);
  const expected = traceparentOf({ traceId: "tr_abc123def456", spanId: "sp_001" });
  assert.deepEqual(
    seen.map((entry) => entry.traceparent),
    [expected, expected],
  );
  assert.equal(seen[1]?.trace?.traceId, "tr_abc123def456");
});

test("headers name a trace where the body does not, and the body wins (transport, Header Mapping)", async () => {
  const seen: Seen[] = [];
  await using service = await startHop(seen);
  const headers = { "x-forrst-trace-id": "header", "x-forrst-span-id": "s", traceparent };
  const fromHeader = await post(service.url, "a.hop", [], { headers });
  await post(service.url, "a.hop", [{ urn, options: { trace_id: "body", span_id: "s" } }], { headers });
  assert.deepEqual(
    seen.map(({ trace }) => trace?.traceId),
    ["header", "body"],
  );
  assert.equal(fromHeader.extensions, undefined);
});

test("a client continues the trace of where it is, begins one only when told to, and is silent when told to", async () => {
  const seen: Seen[] = [];
  await using service = await startHop(seen);
  const scope = extractContext((name) => (name === "traceparent" ? traceparent : undefined));
  for (const tracing of ["continue", "start", "off"] as const) {
    const client = createClient({ url: service.url, service: "x", tracing });
    await client.call(hop, {});
    await context.run(scope, () => client.call(hop, {}));
    client.close();
  }
  const [none, continued, started, , off, byHeader] = seen.map(({ trace }) => trace);
  assert.equal(none, undefined);
  assert.equal(continued?.traceId, "0af7651916cd43dd8448eb211c80319c");
  assert.notEqual(continued?.parentSpanId, "b7ad6b7169203331");
  assert.match(started?.traceId ?? "", /^[0-9a-f]{32}$/);
  assert.equal(off, undefined);
  assert.equal(byHeader?.parentSpanId, "b7ad6b7169203331");
});

const file = await readFile(new URL("../../vectors/trace-ids.json", import.meta.url), "utf8");
const { cases } = JSON.parse(file) as { cases: { traceId: string; spanId: string; traceparent: string }[] };

test("traceparent of Forrst ids is as the vectors say", () => {
  for (const { traceparent: expected, ...ids } of cases) assert.equal(traceparentOf(ids), expected);
});
