import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { OtelCall } from "./apps/otel-plan.ts";
import type { Hop } from "./apps/plan.ts";
import { baggage, fields, orders, received, send, startOtel, traceId, traceparent } from "./otel-services.ts";
import { preload, type Service, startService } from "./start-service.ts";

/** One that has Clew alone, and tells what came. */
let b: Service;
before(async () => {
  b = await startService("b");
});
after(() => b[Symbol.asyncDispose]());

for (const [order, load] of Object.entries(orders)) {
  for (const [kind, app] of [
    ["ES", "otel-service.js"],
    ["CommonJS", "otel-service-cjs.cjs"],
  ] as const) {
    test(`${order}, ${kind} module: both APIs see every field, and each call carries them once, in the trace of its own span`, async () => {
      await using a = await startService("a", { app, load });
      const calls: OtelCall[] = [
        { via: "http", url: b.url },
        { via: "fetch", url: b.url },
      ];
      const hop = await send(a, { calls }, { baggage, traceparent, "x-forrst-caller": "test" });
      assert.deepEqual([hop.seen.clew, hop.seen.caller, hop.seen.traceId], [fields, "test", traceId]);
      assert.equal(hop.seen.traceparent, `00-${traceId}-${hop.seen.spanId}-03`);
      assert.equal(hop.seen.openTelemetry["tenant_id"], "tenant_acme");
      assert.equal(hop.seen.openTelemetry["name with spaces, and %"], fields["name with spaces, and %"]);
      assert.equal(hop.seen.openTelemetry["version"], "json:1.5");
      assert.deepEqual(Object.keys(hop.seen.openTelemetry), Object.keys(fields));
      assert.equal(hop.clientSpans.length, 2);
      assert.deepEqual(received(hop), [
        ["a", [baggage], "client span"],
        ["a", [baggage], "client span"],
      ]);
    });
  }
}

test("with all of OpenTelemetry's instrumentations, zero-code on both sides, nothing is there twice", async () => {
  const auto = fileURLToPath(import.meta.resolve("@opentelemetry/auto-instrumentations-node/register"));
  const env = {
    OTEL_TRACES_EXPORTER: "console",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_NODE_RESOURCE_DETECTORS: "none",
  };
  const load = [...preload.require, "--require", auto];
  await using a = await startService("a", { app: "otel-service-cjs.cjs", load, env });
  const calls: OtelCall[] = [
    { via: "http", url: b.url },
    { via: "fetch", url: b.url },
  ];
  const hop = await send(a, { calls }, { baggage, traceparent });
  assert.deepEqual(hop.seen.clew, fields);
  for (const next of hop.hops as Hop[]) {
    assert.deepEqual([next.caller, next.baggage], ["a", [baggage]]);
    assert.match(
      String(next.traceparent),
      new RegExp(`^00-${traceId}-(?!${hop.seen.spanId}|b7ad6b7169203331)`),
    );
  }
});

test("what either API sets the other sees at once, and both go on together", async () => {
  await using a = await startOtel(orders["Clew first"]);
  const calls: OtelCall[] = (["http", "fetch"] as const).map((via) => ({
    via,
    url: b.url,
    fields: { flags: ["x"] },
    entries: { region: "eu, west", tenant_id: "other" },
  }));
  const hop = await send(a, { calls }, { baggage: "tenant_id=acme;ttl=1,a%41=%41;p" });
  for (const seen of hop.seenAtCalls) {
    assert.deepEqual(seen.clew, { tenant_id: "other", "a%41": "A", flags: ["x"], region: "eu, west" });
    assert.deepEqual(seen.openTelemetry, {
      tenant_id: "other",
      "a%41": "A",
      flags: 'json:["x"]',
      region: "eu, west",
    });
  }
  const sent = "tenant_id=other,a%41=%41;p,flags=json:[%22x%22],region=eu%2C%20west";
  assert.deepEqual(received(hop), [
    ["a", [sent], "client span"],
    ["a", [sent], "client span"],
  ]);
  assert.deepEqual(hop.seen.clew, { tenant_id: "acme", "a%41": "A" });
});

test("an own traceparent of the application's is the only one", async () => {
  await using a = await startOtel(orders["Clew first"]);
  const own = "00-11111111111111111111111111111111-2222222222222222-01";
  const call: OtelCall = { via: "fetch", url: b.url, headers: { traceparent: own } };
  const hop = await send(a, { calls: [call] }, { baggage, traceparent });
  assert.deepEqual(received(hop), [["a", [baggage], own]]);
});
