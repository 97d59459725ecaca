import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emptyContext } from "./context.ts";
import { extractContext } from "./extract.ts";
import type { ContextFault } from "./faults.ts";
import { injectContext } from "./inject.ts";

type Headers = Record<string, string | readonly string[] | undefined>;

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function extract(headers: Headers) {
  const faults: [ContextFault, number][] = [];
  const context = extractContext((name) => headers[name], {
    onFault: (fault, count) => faults.push([fault, count]),
  });
  return { context, faults };
}

function inject(headers: Headers): Record<string, string> {
  const out: Record<string, string> = {};
  injectContext(extract(headers).context, (name, value) => (out[name] = value), { service: "orders" });
  return out;
}

test("a request without context gives the empty context, and none of it is a fault", () => {
  assert.equal(extract({}).context, emptyContext);
  const { context, faults } = extract({ baggage: " ,", tracestate: "a=1" });
  assert.equal(context, emptyContext);
  assert.deepEqual(faults, []);
});

test("an unchanged context leaves as the very bytes that came", () => {
  const baggage = "vendor = %41 ;prop=1 ,, tenant_id=x;a;b=c , n=json:9007199254740993,t=1,t=2";
  const tracestate = "rojo=1 , ,congo= 2 ";
  assert.deepEqual(inject({ baggage, traceparent: traceparent.replace("00-", "cc-"), tracestate }), {
    baggage,
    traceparent: traceparent.replace("00-", "cc-"),
    tracestate,
    "x-forrst-caller": "orders",
  });
});

test("several baggage and tracestate lines are one header", () => {
  const out = inject({ baggage: ["a=1", "b=2,c=3"], traceparent: [traceparent], tracestate: ["x=1", "y=2"] });
  assert.equal(out["baggage"], "a=1,b=2,c=3");
  assert.equal(out["tracestate"], "x=1,y=2");
});

test("the caller of a request is known, and never forwarded", () => {
  const { context } = extract({ "x-forrst-caller": "@shop/caf%C3%A9" });
  assert.equal(context.caller, "@shop/café");
  assert.deepEqual(inject({ "x-forrst-caller": "gateway", baggage: "caller=mallory" }), {
    baggage: "caller=mallory",
    "x-forrst-caller": "orders",
  });
});

test("a malformed part is left out alone and counted", () => {
  const { context, faults } = extract({
    baggage: 'a=1,b,c="x",d=4',
    traceparent: "00-xyz",
    tracestate: "a=1",
    "x-forrst-caller": ["a", "b"],
  });
  assert.deepEqual(
    [context.baggage, context.traceparent, context.tracestate, context.caller],
    ["a=1,d=4", undefined, undefined, undefined],
  );
  assert.deepEqual(faults, [
    ["malformed", 1],
    ["malformed", 1],
    ["malformed", 2],
  ]);
});

test("a malformed tracestate costs itself and not the trace", () => {
  const { context, faults } = extract({ traceparent, tracestate: "a=1,B=2" });
  assert.deepEqual([context.traceparent, context.tracestate, faults.length], [traceparent, undefined, 1]);
});

test("two traceparent lines are none", () => {
  assert.equal(extract({ traceparent: [traceparent, traceparent] }).context, emptyContext);
});

test("text past a limit is not read, counted once per header, and what leaves is within the limits", () => {
  const many = Array.from({ length: 100 }, (_, index) => `k${index}=1`).join(",");
  const { context, faults } = extract({ baggage: many });
  assert.deepEqual([context.size, faults], [64, [["limited", 1]]]);
  assert.equal(inject({ baggage: many })["baggage"], context.baggage);
});

test("whatever the headers are, nothing throws and only clean headers leave", () => {
  const line = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("a", "=", ",", ";", "%", " ", "0", "-", "\n") }),
  );
  const lines = fc.option(fc.oneof(line, fc.array(line, { maxLength: 3 })), { nil: undefined });
  const headers = fc.record({
    baggage: lines,
    tracestate: lines,
    "x-forrst-caller": lines,
    traceparent: fc.oneof(lines, fc.constant(traceparent)),
  });
  fc.assert(
    fc.property(headers, (from) => {
      const { context } = extract(from);
      for (const [name, value] of context.entries()) assert.deepEqual(context.get(name), value);
      for (const sent of Object.values(inject(from))) assert.match(sent, /^[\x20-\x7e\t]*$/);
    }),
    { numRuns: 1000 },
  );
});
