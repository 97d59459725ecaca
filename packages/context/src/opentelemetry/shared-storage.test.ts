import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, test } from "node:test";
import {
  type ContextManager,
  type Context as OtelContext,
  context as otel,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  trace,
} from "@opentelemetry/api";
import { context, emptyContext, extractContext } from "../index.ts";

/** A context manager as SDKs have one; the real SDK is tested where it is installed, in `@clew/node`. */
function createManager(): ContextManager {
  const storage = new AsyncLocalStorage<OtelContext>();
  const manager: ContextManager = {
    active: () => storage.getStore() ?? ROOT_CONTEXT,
    with: (active, fn, self, ...args) => storage.run(active, () => Reflect.apply(fn, self, args)),
    bind: (_, target) => target,
    enable: () => manager,
    disable: () => manager,
  };
  return manager;
}

afterEach(() => otel.disable());

const acme = extractContext(
  (name) => ({ baggage: "tenant_id=acme;p=1,a%41=x", "x-forrst-caller": "b" })[name],
);
const spanContext: SpanContext = {
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
  traceFlags: 1,
};
const suppressKey = Symbol.for("OpenTelemetry SDK Context Key SUPPRESS_TRACING");

function entries(): Record<string, string> {
  const all = propagation.getActiveBaggage()?.getAllEntries() ?? [];
  return Object.fromEntries(all.map(([name, { value }]) => [name, value]));
}

test("with the API alone, and no SDK, Clew works alone", () => {
  const baggage = propagation.createBaggage({ a: { value: "1" } });
  otel.with(propagation.setBaggage(otel.active(), baggage), () => assert.equal(context.current(), undefined));
  context.run(acme, () => {
    assert.equal(context.current(), acme);
    assert.deepEqual(entries(), {});
  });
});

test("a context manager that keeps nothing is not relied on", () => {
  otel.setGlobalContextManager({
    ...createManager(),
    active: () => ROOT_CONTEXT,
    with: (_, fn, self, ...args) => Reflect.apply(fn, self, args),
  });
  context.run(acme, () => assert.equal(context.current(), acme));
});

test("where an SDK keeps contexts, its API sees a scope's fields, and code of its own is seen by ours", async () => {
  otel.setGlobalContextManager(createManager());
  await context.run(acme, async () => {
    await Promise.resolve();
    assert.equal(context.current(), acme);
    assert.deepEqual(entries(), { tenant_id: "acme", "a%41": "x" });
    const baggage = propagation.getActiveBaggage()?.setEntry("region", { value: "eu" });
    assert.ok(baggage !== undefined);
    otel.with(propagation.setBaggage(otel.active(), baggage), () => {
      assert.equal(context.get("region"), "eu");
      assert.equal(context.current()?.caller, "b");
      assert.equal(context.current()?.baggage, "tenant_id=acme;p=1,a%41=x,region=eu");
      context.with({ n: 1 }, () => assert.equal(entries()["n"], "json:1"));
    });
    assert.equal(context.get("region"), undefined);
  });
  assert.equal(context.current(), undefined);
  assert.deepEqual(entries(), {});
});

test("a baggage that OpenTelemetry code made anew replaces the fields, and what is equal keeps its bytes", () => {
  otel.setGlobalContextManager(createManager());
  context.run(acme, () => {
    const baggage = propagation.createBaggage({
      "a%41": { value: "x" },
      "clew-route": { value: "mine" },
      new: { value: "ä, ;" },
    });
    otel.with(propagation.setBaggage(otel.active(), baggage), () => {
      assert.equal(context.current()?.baggage, "clew-route=mine,a%41=x,new=%C3%A4%2C%20%3B");
      assert.equal(context.current()?.caller, "b");
    });
    otel.with(propagation.deleteBaggage(otel.active()), () => {
      assert.deepEqual([context.current()?.size, context.current()?.caller], [0, "b"]);
    });
  });
});

test("the active span decides the trace, and one without valid ids does not", () => {
  otel.setGlobalContextManager(createManager());
  const traced = extractContext(
    (name) => ({ traceparent: `00-${spanContext.traceId}-1111111111111111-03`, tracestate: "a=1" })[name],
  );
  const invalid = { traceId: "0".repeat(32), spanId: "0".repeat(16), traceFlags: 0 };
  context.run(traced, () => {
    otel.with(trace.setSpanContext(otel.active(), spanContext), () => {
      // The trace is the same one, and whether its id is random does not change along it.
      assert.equal(context.current()?.traceparent, `00-${spanContext.traceId}-${spanContext.spanId}-03`);
      assert.equal(context.current()?.tracestate, undefined);
    });
    otel.with(trace.setSpanContext(otel.active(), invalid), () => assert.equal(context.current(), traced));
  });
  otel.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () =>
    assert.equal(context.current()?.traceparent, `00-${spanContext.traceId}-${spanContext.spanId}-01`),
  );
});

test("a request's scope shows nothing of the one around it, if it has no fields of its own", () => {
  otel.setGlobalContextManager(createManager());
  context.run(acme, () =>
    context.run(emptyContext, () => {
      assert.equal(context.current(), emptyContext);
      assert.equal(propagation.getActiveBaggage(), undefined);
    }),
  );
});

test("a bound function gets back its span with its fields", () => {
  otel.setGlobalContextManager(createManager());
  const bound = context.run(acme, () =>
    otel.with(trace.setSpanContext(otel.active(), spanContext), () =>
      context.bind(() => [context.get("tenant_id"), trace.getActiveSpan()?.spanContext().spanId]),
    ),
  );
  const other = propagation.createBaggage({ tenant_id: { value: "other" } });
  otel.with(propagation.setBaggage(ROOT_CONTEXT, other), () =>
    assert.deepEqual(bound(), ["acme", spanContext.spanId]),
  );
});

test("what OpenTelemetry suppresses carries nothing, but for scopes that are opened within", () => {
  otel.setGlobalContextManager(createManager());
  context.run(acme, () =>
    otel.with(otel.active().setValue(suppressKey, true), () => {
      assert.equal(context.current(), undefined);
      context.run(acme, () => assert.equal(context.get("tenant_id"), "acme"));
    }),
  );
});

test("a scope that was open when the SDK was started stays open, and so it is when the SDK goes", async () => {
  let start = (): void => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const early = context.run(acme, async () => {
    await started;
    const before = context.get("tenant_id");
    return [before, context.with({ n: 1 }, () => entries())];
  });
  otel.setGlobalContextManager(createManager());
  start();
  assert.deepEqual(await early, ["acme", { tenant_id: "acme", "a%41": "x", n: "json:1" }]);
  otel.disable();
  context.run(acme, () => assert.equal(context.get("tenant_id"), "acme"));
});
