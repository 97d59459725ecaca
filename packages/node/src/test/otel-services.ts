import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { emptyContext, type JsonValue } from "@clew/context";
import type { OtelHop, OtelPlan } from "./apps/otel-plan.ts";
import type { Hop } from "./apps/plan.ts";
import { preload, type Service, startService } from "./start-service.ts";

/** What loads OpenTelemetry. */
export const sdk: string = fileURLToPath(new URL("apps/otel-sdk.cjs", import.meta.url));

/** The ways to load both into one process. */
export const orders: Readonly<Record<"OpenTelemetry first" | "Clew first", readonly string[]>> = {
  "OpenTelemetry first": ["--import", sdk, ...preload.import],
  "Clew first": [...preload.import, "--import", sdk],
};

/** Every type of value, and names that are no tokens, as far as OpenTelemetry can name them. */
export const fields: Readonly<Record<string, JsonValue>> = {
  "clew-route": "my-route",
  tenant_id: "tenant_acme",
  feature_flags: ["new_checkout", "beta_pricing"],
  nested: { a: [1, null, { b: true }], ключ: "значение, с = и ; и %" },
  version: 1.5,
  beta: false,
  nothing: null,
  looks_like_json: 'json:{"a":1}',
  "name with spaces, and %": "🧵\r\nx: y",
};
export const baggage: string = emptyContext.with(fields).baggage;
export const traceId: string = "0af7651916cd43dd8448eb211c80319c";
export const traceparent: string = `00-${traceId}-b7ad6b7169203331-03`;

/** The OpenTelemetry application as service `a`. */
export function startOtel(load: readonly string[], env: Record<string, string> = {}): Promise<Service> {
  return startService("a", { app: "otel-service.js", load, env });
}

/** Sends a plan to a service, and returns what it answers. */
export async function send<T = OtelHop>(
  { url }: Service,
  plan: OtelPlan,
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(plan), headers });
  const body = await response.text();
  assert.ok(response.ok, body);
  return JSON.parse(body);
}

/** What a service of Clew's alone saw, its trace's parent by name if that is known. */
export function received(hop: OtelHop): unknown[] {
  return (hop.hops as Hop[]).map((next) => {
    const parent = next.traceparent?.split("-")[2] ?? "";
    const isClientSpan = hop.clientSpans.includes(parent);
    return [next.caller, next.baggage, isClientSpan ? "client span" : next.traceparent];
  });
}
