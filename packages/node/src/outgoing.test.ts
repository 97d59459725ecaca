import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { validateHeaderValue } from "node:http";
import { test } from "node:test";
import { extractContext } from "@clew/context";
import { contextHeadersIn, noContextHeaders } from "./header-list.ts";
import { createLostContexts } from "./lost-context.ts";
import { watchOpenTelemetry } from "./opentelemetry.ts";
import { createOutgoing } from "./outgoing.ts";

const headers: Record<string, string> = {
  baggage: "tenant_id=acme;p=1,user=%C3%A4",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "a=1",
  "x-forrst-caller": "gateway",
};
const context = extractContext((name) => headers[name]);
const options = {
  destinations: {},
  participate: false,
  lost: createLostContexts(),
  openTelemetry: watchOpenTelemetry("orders"),
};
const outgoing = createOutgoing({ ...options, service: "orders" });
const fields = (set: Record<string, string>): Record<string, string> =>
  Object.fromEntries(outgoing.fieldsFor(context, contextHeadersIn(set)));

test("the context goes on as it came, with the service's own name as caller", () => {
  assert.deepEqual(fields({}), { ...headers, "x-forrst-caller": "orders" });
});

test("headers that the application sets win, each for itself, and a trace is never mixed from two", () => {
  const names = (set: string): string[] => Object.keys(fields({ [set]: "mine=1" }));
  assert.deepEqual(names("baggage"), ["traceparent", "tracestate", "x-forrst-caller"]);
  assert.deepEqual(names("traceparent"), ["baggage", "x-forrst-caller"]);
  assert.deepEqual(names("tracestate"), ["baggage", "x-forrst-caller"]);
  assert.deepEqual(names("x-forrst-caller"), ["baggage", "traceparent", "tracestate"]);
});

test("a caller copied from the request being served is not forwarded", () => {
  assert.equal(fields({ "x-forrst-caller": "gateway" })["x-forrst-caller"], "orders");
});

test("neither the service's name nor a field can split the head", () => {
  const evil = createOutgoing({ ...options, service: "a\r\nx: y" });
  const values = evil.fieldsFor(context.with({ "x\r\ny: z": "\r\n\0😀" }), noContextHeaders);
  for (const [name, value] of values) validateHeaderValue(name, value);
  assert.equal(values.length, 4);
});

test("a destination is judged by every host on the way, and what is withheld is published", () => {
  const published: unknown[] = [];
  const onWithheld = (message: unknown): void => void published.push(message);
  subscribe("clew.context.withheld", onWithheld);
  assert.equal(outgoing.mayGoTo("127.0.0.1"), true);
  assert.equal(outgoing.mayGoTo("[::1]"), true);
  assert.equal(outgoing.mayGoTo("10.0.0.1", "api.example.com"), false);
  unsubscribe("clew.context.withheld", onWithheld);
  assert.deepEqual(published, [{ host: "api.example.com" }]);
});
