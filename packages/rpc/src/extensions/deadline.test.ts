import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { context } from "@clew/context";
import { createClient } from "../client/create-client.ts";
import { defineFunction, defineStream } from "../contract.ts";
import type { Call } from "../server/call.ts";
import { createServer } from "../server/create-server.ts";
import { post, urnOf } from "../test/extension-fixtures.ts";
import { anything, deferred, type Listening, listen, nothing, number } from "../test/fixtures.ts";
import { createDeadlineExtension } from "./deadline.ts";

const urn = urnOf("deadline");
const hop = defineFunction({ name: "a.hop", version: "1.0.0", arguments: nothing, result: anything });
const count = defineStream({ name: "a.count", version: "1.0.0", arguments: nothing, event: number });
const never = new Promise<never>(() => {});

async function serve(handler: (call: Call) => unknown): Promise<Listening> {
  const server = createServer({ service: "a", onContextFault: () => {}, drainMs: 0 });
  return await listen(server.implement(hop, (_, call) => handler(call)));
}

test("a deadline that is kept is told with what is left of it (extensions/deadline, Successful Response)", async () => {
  await using service = await serve((call) => call.deadline?.remainingMs());
  const options = { value: 30, unit: "second" };
  const { status, result, data } = await post(service.url, "a.hop", [{ urn, options }]);
  assert.equal(status, 200);
  assert.ok((result as number) > 0 && (result as number) <= 30_000);
  const { specified, elapsed, remaining, utilization } = data(urn) as Record<string, { value: number }>;
  assert.deepEqual(specified, options);
  const sum = (elapsed?.value ?? 0) + (remaining?.value ?? 0);
  assert.ok(Math.abs(sum - 30_000) <= 1, String(sum));
  assert.ok(Number(utilization) >= 0 && Number(utilization) < 1);
});

test("a handler that ignores its signal is answered for in time, and its signal aborted (Deadline Exceeded Response)", async () => {
  const reasons: unknown[] = [];
  await using service = await serve(({ signal }) => {
    signal.addEventListener("abort", () => reasons.push((signal.reason as { code: string }).code));
    return never;
  });
  const options = { value: 200, unit: "millisecond" };
  const { status, codes, errors, data } = await post(service.url, "a.hop", [{ urn, options }]);
  assert.deepEqual([status, codes, reasons], [408, ["DEADLINE_EXCEEDED"], ["DEADLINE_EXCEEDED"]]);
  assert.deepEqual(errors?.[0]?.details?.["deadline"], options);
  assert.equal(data(urn)?.["utilization"], 1);
  assert.deepEqual(data(urn)?.["remaining"], { value: 0, unit: "millisecond" });
});

test("an absolute deadline counts by the clock, with some tolerance for clocks that differ", async () => {
  await using service = await serve((call) => call.deadline?.remainingMs());
  const at = (offsetMs: number): Promise<{ codes: readonly string[]; result: unknown }> => {
    const value = new Date(Date.now() + offsetMs).toISOString();
    return post(service.url, "a.hop", [{ urn, options: { value, unit: "iso8601" } }]);
  };
  assert.deepEqual((await at(-60_000)).codes, ["DEADLINE_EXCEEDED"]);
  const { result } = await at(60_000);
  assert.ok(Number(result) > 55_000 && Number(result) <= 61_000, String(result));
  const strict = createServer({
    service: "a",
    onContextFault: () => {},
    extensions: [createDeadlineExtension({ maxClockSkewMs: 120_000 })],
  }).implement(hop, () => "in time");
  await using tolerant = await listen(strict);
  const past = { value: new Date(Date.now() - 60_000).toISOString(), unit: "iso8601" };
  assert.equal((await post(tolerant.url, "a.hop", [{ urn, options: past }])).result, "in time");
});

test("values and units that are none are refused, each by its place", async () => {
  await using service = await serve(() => null);
  const value = ["INVALID_REQUEST /extensions/0/options/value"];
  const unit = ["INVALID_REQUEST /extensions/0/options/unit"];
  const cases: [Record<string, string | number>, string[]][] = [
    [{ unit: "second" }, value],
    [{ value: 0, unit: "second" }, value],
    [{ value: 1.5, unit: "second" }, value],
    [{ value: "5", unit: "second" }, value],
    [{ value: 1e300, unit: "hour" }, value],
    [{ value: 5 }, unit],
    [{ value: 5, unit: "fortnight" }, unit],
    [{ value: "2024-03-15T14:30:00", unit: "iso8601" }, value],
    [{ value: "2024-13-15T14:30:00Z", unit: "iso8601" }, value],
  ];
  for (const [options, codes] of cases)
    assert.deepEqual(
      (await post(service.url, "a.hop", [{ urn, options }])).codes,
      codes,
      JSON.stringify(options),
    );
});

test("calls made in a handler inherit what is left, with no code, also under changed fields (Deadline Propagation)", async () => {
  const left: (number | undefined)[] = [];
  await using c = await serve((call) => left.push(call.deadline?.remainingMs()));
  const downstream = createClient({ url: c.url, service: "b", timeoutMs: 60_000 });
  await using b = await serve(async (call) => {
    left.push(call.deadline?.remainingMs());
    await context.with({ more: 1 }, () => downstream.call(hop, {}));
    await downstream.call(hop, {}, { isDetached: true });
  });
  const client = createClient({ url: b.url, service: "a", timeoutMs: 20_000 });
  await client.call(hop, {});
  client.close();
  downstream.close();
  const [atB, atC, detached] = left as [number, number, number];
  assert.ok(atB <= 20_000 && atC < atB && detached > 50_000, String(left));
});

test("a handler whose time is over makes no further calls, but detached ones", async () => {
  let calls = 0;
  await using c = await serve(() => calls++);
  const downstream = createClient({ url: c.url, service: "b" });
  const done = deferred();
  const codes: string[] = [];
  await using b = await serve(async ({ signal }) => {
    await once(signal, "abort");
    await downstream.call(hop, {}).catch((error: { code: string }) => codes.push(error.code));
    await downstream.call(hop, {}, { isDetached: true });
    done.resolve();
  });
  await post(b.url, "a.hop", [{ urn, options: { value: 200, unit: "millisecond" } }]);
  await done.promise;
  downstream.close();
  assert.deepEqual([codes, calls], [["DEADLINE_EXCEEDED"], 1]);
});

test("a stream ends with DEADLINE_EXCEEDED when its time is over (extensions/stream, With Deadline)", async () => {
  const server = createServer({ service: "a", onContextFault: () => {} });
  server.implementStream(count, async function* (_, { signal }) {
    yield 1;
    await once(signal, "abort");
    await never;
  });
  await using service = await listen(server);
  const extensions = [
    { urn, options: { value: 200, unit: "millisecond" } },
    { urn: urnOf("stream"), options: { accept: true } },
  ];
  const response = await fetch(service.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      protocol: { name: "forrst", version: "0.1.0" },
      id: "a",
      call: { function: "a.count" },
      extensions,
    }),
  });
  const text = await response.text();
  assert.match(text, /^event: data\ndata: 1\n\nevent: error\ndata: \{"code":"DEADLINE_EXCEEDED"/);
});

test("handlers that outlive their answers count as under way, so impatient clients cannot pile them up (I8)", async () => {
  const gate = deferred();
  const server = createServer({ service: "a", onContextFault: () => {}, maxCalls: 2 });
  let running = 0;
  server.implement(hop, async () => {
    running++;
    await gate.promise;
  });
  await using service = await listen(server);
  const extensions = [{ urn, options: { value: 200, unit: "millisecond" } }];
  const codes: unknown[] = [];
  for (let i = 0; i < 4; i++) codes.push(...(await post(service.url, "a.hop", extensions)).codes);
  assert.deepEqual(codes, ["DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", "UNAVAILABLE", "UNAVAILABLE"]);
  const closed = server.close();
  gate.resolve();
  await closed;
  assert.equal(running, 2);
});
