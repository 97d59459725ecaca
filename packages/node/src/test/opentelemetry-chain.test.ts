import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtelCall, OtelHop, OtelPlan } from "./apps/otel-plan.ts";
import type { Hop } from "./apps/plan.ts";
import { baggage, fields, orders, sdk, send, startOtel, traceId, traceparent } from "./otel-services.ts";
import { startService } from "./start-service.ts";

test("third parties get no fields, though OpenTelemetry would send them; what the application sets itself goes", async () => {
  await using external = await startOtel([], { CLEW_ABSENT: "1" });
  await using a = await startOtel(orders["Clew first"], { CLEW_PROPAGATE_INTERNAL_ONLY: "nowhere.test" });
  const calls = (["http", "fetch"] as const).flatMap((via): OtelCall[] => [
    { via, url: external.url },
    { via, url: external.url, headers: { baggage: "own=1" } },
  ]);
  const { hops } = await send(a, { calls }, { baggage, traceparent });
  const came = (hops as OtelHop[]).map(({ headers }) => headers);
  assert.deepEqual(
    came.map((headers) => [headers["baggage"], headers["x-forrst-caller"]]),
    [
      [undefined, undefined],
      // OpenTelemetry's instrumentation of http has replaced it by the context's before we come to see it.
      [undefined, undefined],
      [undefined, undefined],
      [["own=1"], undefined],
    ],
  );
  for (const headers of came) assert.match(String(headers["traceparent"]), new RegExp(`^00-${traceId}-`));
});

test("Clew, OpenTelemetry alone, Clew: every field arrives as it left", async () => {
  await using last = await startService("last");
  await using middle = await startOtel(["--import", sdk], { CLEW_ABSENT: "1" });
  await using first = await startService("first");
  const calls = (["http", "fetch"] as const).map((via) => {
    const behind: OtelPlan = { calls: [{ via, url: last.url }] };
    return { via, url: middle.url, plan: behind };
  });
  const { hops } = await send(first, { calls }, { baggage });
  for (const between of hops as OtelHop[]) {
    assert.deepEqual(between.headers["baggage"], [baggage]);
    const [end] = between.hops as [Hop];
    assert.deepEqual(end.fields, fields);
    // The one before is none of ours, and names nobody.
    assert.equal(end.caller, undefined);
  }
  assert.equal(hops.length, 2);
});

test("OpenTelemetry alone, Clew beside OpenTelemetry, OpenTelemetry alone: every entry and the trace arrive", async () => {
  await using last = await startOtel(["--import", sdk], { CLEW_ABSENT: "1" });
  await using middle = await startOtel(orders["OpenTelemetry first"]);
  await using first = await startOtel(["--import", sdk], { CLEW_ABSENT: "1" });
  const entries = {
    tenant_id: "acme",
    "имя с пробелом": "значение, с = и ;",
    count: "json:9007199254740993",
  };
  const behind: OtelPlan = { calls: [{ via: "fetch", url: last.url }] };
  const call: OtelCall = { via: "http", url: middle.url, plan: behind, entries };
  const { hops } = await send(first, { calls: [call] }, { traceparent });
  const between: OtelHop = hops[0];
  const end: OtelHop = between.hops[0];
  assert.deepEqual(between.seen.clew?.["имя с пробелом"], "значение, с = и ;");
  assert.deepEqual(end.seen.openTelemetry, entries);
  assert.equal(end.seen.traceId, traceId);
  assert.deepEqual(end.headers["baggage"], between.headers["baggage"]);
  assert.deepEqual(end.headers["traceparent"], [`00-${traceId}-${between.clientSpans[0]}-01`]);
});
