import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyContext, type JsonValue } from "@clew/context";
import type { Call, Hop } from "./apps/plan.ts";
import { preload, send, startService } from "./start-service.ts";

const fields: Readonly<Record<string, JsonValue>> = {
  "clew-route": "my-route",
  tenant_id: "tenant_acme",
  feature_flags: ["new_checkout", "beta_pricing"],
  nested: { a: [1, null, { b: true }], ключ: "значение, с = и ; и %" },
  version: 1.5,
  beta: false,
  nothing: null,
  empty: "",
  looks_like_json: 'json:{"a":1}',
  "name with spaces, and %": "🧵\r\nx: y",
};
const { baggage } = emptyContext.with(fields);
const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

/** The hops of a chain in order, the first one first. */
function flatten(hop: Hop): Hop[] {
  return [hop, ...hop.hops.flatMap(flatten)];
}

for (const via of ["http", "fetch"] as const) {
  test(`A → B → C by ${via}: every kind of field arrives equal, byte for byte, and caller is the sender's name`, async () => {
    await using a = await startService("a");
    await using b = await startService("b");
    await using c = await startService("c");
    const calls: Call[] = [{ via, url: b.url, plan: { calls: [{ via, url: c.url }] } }];
    const hops = flatten(await send(a.url, { calls }, { baggage, traceparent, "x-forrst-caller": "test" }));
    assert.deepEqual(
      hops.map((hop) => [hop.service, hop.caller]),
      [
        ["a", "test"],
        ["b", "a"],
        ["c", "b"],
      ],
    );
    for (const hop of hops) {
      assert.deepEqual(hop.fields, fields);
      assert.deepEqual(hop.baggage, [baggage]);
      assert.equal(hop.traceparent, traceparent);
    }
  });
}

test("fields changed for one call reach that call alone, and the rest of the chain behind it", async () => {
  await using a = await startService("a");
  await using b = await startService("b");
  const calls: Call[] = [
    {
      via: "http",
      url: b.url,
      fields: { tenant_id: "other", step: 1 },
      plan: { calls: [{ via: "fetch", url: a.url }] },
    },
    { via: "fetch", url: b.url },
  ];
  const [, changed, behind, unchanged] = flatten(await send(a.url, { calls }, { baggage: "tenant_id=acme" }));
  assert.deepEqual(changed?.fields, { tenant_id: "other", step: 1 });
  assert.deepEqual(behind?.fields, { tenant_id: "other", step: 1 });
  assert.deepEqual(unchanged?.fields, { tenant_id: "acme" });
});

test("a request without context is served, goes on with nothing but the caller, and inherits nothing from the one before", async () => {
  await using a = await startService("a");
  await using b = await startService("b");
  await send(a.url, {}, { baggage });
  const { fields: own, hops } = await send(a.url, { calls: [{ via: "http", url: b.url }] });
  assert.deepEqual([own, hops[0]?.fields, hops[0]?.baggage, hops[0]?.caller], [{}, {}, [], "a"]);
});

test("a service that calls itself in the same process keeps the two requests apart", async () => {
  await using a = await startService("a");
  const calls: Call[] = [{ via: "fetch", url: a.url, fields: { depth: 1 } }];
  const hop = await send(a.url, { calls }, { baggage: "depth=0" });
  assert.deepEqual(
    [hop.fields, hop.hops[0]?.fields, hop.hops[0]?.caller],
    [{ depth: "0" }, { depth: 1 }, "a"],
  );
});

for (const [name, load] of [
  ["--import", preload.import],
  ["--require", preload.require],
  ["both, twice each", [...preload.require, ...preload.import, ...preload.require, ...preload.import]],
] as const) {
  test(`a CommonJS application loaded with ${name} carries the context by http and by fetch, once`, async () => {
    await using c = await startService("c");
    await using forwarder = await startService("forwarder", {
      app: "forwarder.cjs",
      load,
      env: { TARGET: c.url },
    });
    for (const path of ["http", "fetch"]) {
      const hop = await send(new URL(path, forwarder.url).href, {}, { baggage });
      assert.deepEqual([hop.caller, hop.fields, hop.baggage], ["forwarder", fields, [baggage]]);
    }
  });
}

test("an ESM application loaded with --require carries the context", async () => {
  await using a = await startService("a", { load: preload.require });
  const hop = await send(a.url, { calls: [{ via: "http", url: a.url }] }, { baggage });
  assert.deepEqual(hop.hops[0]?.fields, fields);
});
