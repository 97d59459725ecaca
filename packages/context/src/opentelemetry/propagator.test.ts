import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Baggage,
  baggageEntryMetadataFromString,
  defaultTextMapGetter,
  defaultTextMapSetter,
  type Context as OtelContext,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import fc from "fast-check";
import { emptyContext, extractContext } from "../index.ts";
import { completeExtracted, contextFromCarrier, contextToOpenTelemetry } from "./index.ts";
import { ClewPropagator } from "./propagator.ts";

const propagator = new ClewPropagator({ service: "orders" });

function extract(headers: object, into: OtelContext = ROOT_CONTEXT): OtelContext {
  return propagator.extract(into, headers, defaultTextMapGetter);
}

function inject(context: OtelContext): Record<string, string> {
  const headers: Record<string, string> = {};
  propagator.inject(context, headers, defaultTextMapSetter);
  return headers;
}

function baggageOf(headers: object): Baggage {
  return propagation.getBaggage(extract(headers)) ?? propagation.createBaggage();
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

test("whatever is extracted and nobody touches is injected as it came, under an own name", () => {
  const headers = { baggage: "a%41=%41;p ,b=", traceparent: parent, tracestate: "0a=1 , b=2" };
  assert.deepEqual(inject(extract({ ...headers, "x-forrst-caller": "storefront" })), {
    ...headers,
    "x-forrst-caller": "orders",
  });
});

test("where nothing comes, what was there before stays", () => {
  const before = extract({ baggage: "a=1" });
  for (const headers of [{}, { traceparent: parent }, { "x-forrst-caller": "b" }, { baggage: "=" }]) {
    assert.equal(inject(extract(headers, before))["baggage"], "a=1");
  }
});

test("a span that is started in between decides the trace, and takes a long tracestate along", () => {
  const tracestate = `a=${"x".repeat(250)},b=${"y".repeat(250)},c=${"z".repeat(250)}`;
  const extracted = extract({ traceparent: parent, tracestate });
  const remote = trace.getSpanContext(extracted);
  assert.ok(remote?.traceState !== undefined);
  const child = { ...remote, spanId: "1111111111111111", isRemote: false };
  assert.deepEqual(inject(trace.setSpanContext(extracted, child)), {
    traceparent: `${parent.slice(0, 36)}1111111111111111-03`,
    tracestate,
    "x-forrst-caller": "orders",
  });
});

test("a tracestate is changed as samplers do, and refuses what cannot be sent", () => {
  const state = trace.getSpanContext(extract({ traceparent: parent, tracestate: "a=1,b=2" }))?.traceState;
  assert.equal(state?.get("b"), "2");
  assert.equal(state?.get("c"), undefined);
  assert.equal(state?.set("b", "3").serialize(), "b=3,a=1");
  assert.equal(state?.set("Bad Key", "3").serialize(), "a=1,b=2");
  assert.equal(state?.unset("a").serialize(), "b=2");
  assert.equal(state?.serialize(), "a=1,b=2");
});

test("a baggage shows names of object prototypes, properties and empty values", () => {
  const baggage = baggageOf({ baggage: "__proto__=1,empty=,a=1;p=x" });
  assert.deepEqual(
    baggage.getAllEntries().map(([name, { value, metadata }]) => [name, value, metadata?.toString()]),
    [
      ["__proto__", "1", undefined],
      ["empty", "", undefined],
      ["a", "1", "p=x"],
    ],
  );
  assert.equal(baggage.getEntry("__proto__")?.value, "1");
  assert.equal(baggage.getEntry("constructor"), undefined);
});

test("a baggage is changed member by member, never in place, and properties that cannot be sent are left out", () => {
  const baggage = baggageOf({ baggage: "a=1;p,b=%32,c=3" });
  const sent = (changed: Baggage): string | undefined =>
    inject(propagation.setBaggage(ROOT_CONTEXT, changed))["baggage"];
  const metadata = baggageEntryMetadataFromString("ttl=5");
  assert.equal(sent(baggage.setEntry("c", { value: "ä", metadata })), "a=1;p,b=%32,c=%C3%A4;ttl=5");
  const absurd = baggageEntryMetadataFromString('x\r\ny: "1"');
  assert.equal(sent(baggage.setEntry("c", { value: "4", metadata: absurd })), "a=1;p,b=%32,c=4");
  assert.equal(sent(baggage.setEntry("", { value: "4" })), "a=1;p,b=%32,c=3");
  assert.equal(sent(baggage.removeEntry("a")), "b=%32,c=3");
  assert.equal(sent(baggage.removeEntries("a", "c")), "b=%32");
  assert.equal(sent(baggage.clear()), undefined);
  assert.equal(sent(baggage), "a=1;p,b=%32,c=3");
});

test("any field survives OpenTelemetry code that takes all entries out and puts them into a baggage of its own", () => {
  const name = fc.string({ unit: "binary", minLength: 1, maxLength: 20 }).filter((text) => text !== "caller");
  fc.assert(
    fc.property(fc.dictionary(name, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 8 }), (fields) => {
      const context = emptyContext.with(Object.fromEntries(Object.entries(fields)) as never);
      const shown = propagation.getBaggage(contextToOpenTelemetry(ROOT_CONTEXT, context));
      let copy = propagation.createBaggage();
      for (const [key, entry] of shown?.getAllEntries() ?? []) copy = copy.setEntry(key, entry);
      const headers = inject(propagation.setBaggage(ROOT_CONTEXT, copy));
      assert.equal(headers["baggage"] ?? "", context.baggage);
    }),
  );
});

test("what a lossy propagator made of a header is put right, and what it found elsewhere stays", () => {
  const headers = { baggage: "a%41=x,empty=,b=2" };
  const lossy = propagation.createBaggage({
    aA: { value: "x" },
    b: { value: "2" },
    "from-uberctx": { value: "3" },
  });
  const received = contextFromCarrier(headers, defaultTextMapGetter);
  const complete = completeExtracted(propagation.setBaggage(ROOT_CONTEXT, lossy), received, headers);
  assert.equal(inject(complete as OtelContext)["baggage"], "a%41=x,empty=,b=2,from-uberctx=3");
});

test("a carrier whose values are no text is read as far as it has text", () => {
  const carrier = { baggage: ["a=1", 7, "b=2"], traceparent: 7 };
  const context = contextFromCarrier(carrier, defaultTextMapGetter as never);
  assert.equal(context.baggage, extractContext(() => "a=1,b=2").baggage);
  assert.equal(context.traceparent, undefined);
});
