import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { afterEach, test } from "node:test";
import { emptyContext } from "@clew/context";
import { contextToOpenTelemetry } from "@clew/context/opentelemetry";
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  type TextMapPropagator,
} from "@opentelemetry/api";
import { type DispatchDecision, dispatchDecided } from "./current-dispatch.ts";
import type { Hook } from "./hook.ts";
import { watchOpenTelemetry } from "./opentelemetry.ts";

/** One that knows baggage, badly, and a header of its own. */
function createPropagator(): TextMapPropagator {
  return {
    inject(_, carrier, setter) {
      setter.set(carrier, "baggage", "lossy=1");
      setter.set(carrier, "x-own", "1");
    },
    extract: (context) => context,
    fields: () => ["baggage", "x-own"],
  };
}

const hooks: Hook[] = [];
afterEach(() => {
  propagation.disable();
  for (const hook of hooks.splice(0)) hook.disable();
});

function watch(propagator: TextMapPropagator): ReturnType<typeof watchOpenTelemetry> {
  propagation.setGlobalPropagator(propagator);
  const openTelemetry = watchOpenTelemetry("orders");
  hooks.push(openTelemetry.hook);
  return openTelemetry;
}

const acme = contextToOpenTelemetry(ROOT_CONTEXT, emptyContext.with({ tenant_id: "acme" }));

function inject(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(acme, headers, defaultTextMapSetter);
  return headers;
}

test("a propagator writes our baggage in the place of its own, goes on with its own headers, and is put back", () => {
  const propagator = createPropagator();
  const { inject: original } = propagator;
  const openTelemetry = watch(propagator);
  assert.deepEqual(inject(), { baggage: "tenant_id=acme", "x-own": "1" });
  openTelemetry.hook.disable();
  assert.equal(propagator.inject, original);
  assert.deepEqual(inject(), { baggage: "lossy=1", "x-own": "1" });
});

test("one that has left the baggage out gets it added, if it is one for baggage", () => {
  for (const [fields, expected] of [
    [["baggage"], { baggage: "tenant_id=acme" }],
    [["b3"], {}],
  ] as const) {
    watch({ ...createPropagator(), inject: () => {}, fields: () => [...fields] });
    assert.deepEqual(inject(), expected);
    propagation.disable();
  }
});

test("one that is registered later, or again, is found when the next request looks", () => {
  const propagator = createPropagator();
  const openTelemetry = watch(createPropagator());
  propagation.disable();
  openTelemetry.look();
  assert.equal(openTelemetry.isPropagating, false);
  for (let times = 0; times < 2; times++) {
    propagation.setGlobalPropagator(propagator);
    openTelemetry.look();
    assert.equal(inject()["baggage"], "tenant_id=acme");
    const changed = propagator.inject;
    propagation.disable();
    openTelemetry.look();
    assert.equal(propagator.inject, changed);
  }
});

test("a getter that fails where only we ask costs the sharing, not the call", async () => {
  const openTelemetry = watch(createPropagator());
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const getter = {
    ...defaultTextMapGetter,
    get: () => {
      throw new Error("absurd");
    },
  };
  assert.equal(propagation.extract(ROOT_CONTEXT, {}, getter), ROOT_CONTEXT);
  assert.equal(openTelemetry.hook.active, false);
  assert.equal(((await warned) as NodeJS.ErrnoException).code, "CLEW_NODE_FAULT");
  assert.deepEqual(inject(), { baggage: "lossy=1", "x-own": "1" });
});

const none = {
  baggage: undefined,
  traceparent: undefined,
  tracestate: undefined,
  "x-forrst-caller": undefined,
};

/** Headers of a request of undici's after a subscriber has added some. */
function headersAfter(headers: string | unknown[], names: readonly string[], added: string[][]): unknown {
  const created = channel("undici:request:create");
  const subscriber = (message: unknown): void => {
    const { request } = message as { request: { headers: string | unknown[] } };
    for (const [name, value] of added) {
      if (typeof request.headers === "string") request.headers += `${name}: ${value}\r\n`;
      else request.headers.push(name, value);
    }
  };
  created.subscribe(subscriber);
  const request = { headers };
  const ours = Object.fromEntries(names.map((name) => [name, "ours"]));
  const decision: DispatchDecision = { added: { ...none, ...ours }, enter: (fn) => fn() };
  dispatchDecided(decision, created.publish, created, { request }, undefined);
  created.unsubscribe(subscriber);
  return request.headers;
}

test("headers that OpenTelemetry adds to a request of undici's are joined with what has been decided", () => {
  watch(createPropagator());
  const added = [
    ["traceparent", "span"],
    ["baggage", "theirs"],
    ["b3", "1"],
  ];
  const ours = ["Host", "b", "traceparent", "1", "tracestate", "2", "baggage", "ours"];
  assert.deepEqual(headersAfter([...ours], ["traceparent", "tracestate", "baggage"], added), [
    ...["Host", "b", "baggage", "ours"],
    ...["traceparent", "span", "b3", "1"],
  ]);
  // Withheld, or set by the application.
  assert.deepEqual(headersAfter(["Host", "b"], [], added), ["Host", "b", "traceparent", "span", "b3", "1"]);
  assert.deepEqual(headersAfter(["Traceparent", "own"], [], added), ["Traceparent", "own", "b3", "1"]);
  // As undici 5 has them.
  const text = "Host: b:80\r\ntraceparent: 1\r\nbaggage: ours\r\n";
  assert.equal(
    headersAfter(text, ["traceparent", "baggage"], added),
    "Host: b:80\r\nbaggage: ours\r\ntraceparent: span\r\nb3: 1\r\n",
  );
  assert.equal(headersAfter(text, ["traceparent", "baggage"], []), text);
});
