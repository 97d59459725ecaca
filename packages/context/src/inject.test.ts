import assert from "node:assert/strict";
import diagnosticsChannel from "node:diagnostics_channel";
import { test } from "node:test";
import { baggageLimits } from "@clew/wire";
import { type Context, emptyContext } from "./context.ts";
import { type ContextFaultEvent, contextChannels } from "./faults.ts";
import { type InjectOptions, injectContext } from "./inject.ts";

function baggageOf(context: Context, options: Partial<InjectOptions> = {}): string | undefined {
  const sent = new Map<string, string>();
  injectContext(context, (name, value) => sent.set(name, value), { service: "orders", ...options });
  return sent.get("baggage");
}

const manyFields = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`k${index}`, "v"]));

test("an empty context sets nothing but the caller", () => {
  const out: [string, string][] = [];
  injectContext(emptyContext, (name, value) => out.push([name, value]), { service: "orders" });
  assert.deepEqual(out, [["x-forrst-caller", "orders"]]);
  injectContext(emptyContext, (name, value) => out.push([name, value]), { service: "café\r\nx: y" });
  assert.deepEqual(out[1], ["x-forrst-caller", "caf%C3%A9%0D%0Ax:%20y"]);
});

test("trimming drops whole members from the end, and never the routing key", () => {
  const context = emptyContext.with(manyFields).with({ "clew-route": "alice" });
  const dropped: number[] = [];
  const sent = baggageOf(context, { onFault: (fault, count) => fault === "trimmed" && dropped.push(count) });
  assert.equal(sent?.startsWith("clew-route=alice,k0=v"), true);
  assert.equal(sent?.split(",").length, baggageLimits.maxMembers);
  assert.deepEqual(dropped, [7]);
  assert.equal(context.size, 71, "the context itself keeps what only the wire has no room for");
});

test("a routing key that came late in the header is kept all the same", () => {
  const context = emptyContext.with({ big: "x".repeat(9000), a: "1" });
  const late = { ...manyFields, "clew-route": "alice" };
  assert.match(baggageOf(context.with(late), { onFault: () => {} }) ?? "", /clew-route=alice/);
  assert.equal(baggageOf(context, { onFault: () => {} }), "a=1");
});

test("fields declared important outlive the others", () => {
  const context = emptyContext.with({ ...manyFields, tenant_id: "acme" });
  const sent = baggageOf(context, { important: ["tenant_id"], onFault: () => {} });
  assert.match(sent ?? "", /tenant_id=acme$/);
  assert.doesNotMatch(baggageOf(context, { onFault: () => {} }) ?? "", /tenant_id/);
});

test("limits of one's own are kept too", () => {
  const limits = { ...baggageLimits, maxMembers: 1 };
  assert.equal(baggageOf(emptyContext.with({ a: "1", b: "2" }), { limits, onFault: () => {} }), "a=1");
});

test("drops are published once per interval, with what was dropped and no value", () => {
  const events: unknown[] = [];
  const listener = (event: unknown) => void events.push(event);
  diagnosticsChannel.subscribe(contextChannels.trimmed, listener);
  const context = emptyContext.with({ a: "1", secret: "x".repeat(9000) });
  for (let i = 0; i < 3; i++) baggageOf(context);
  diagnosticsChannel.unsubscribe(contextChannels.trimmed, listener);
  assert.deepEqual(events as ContextFaultEvent[], [{ count: 1, what: "secret" }]);
});
