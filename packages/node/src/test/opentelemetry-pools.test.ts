import assert from "node:assert/strict";
import { test } from "node:test";
import type { OtelHop } from "./apps/otel-plan.ts";
import { orders, sdk, send, startOtel } from "./otel-services.ts";
import type { Service } from "./start-service.ts";

const tenants = Array.from({ length: 40 }, (_, index) => `tenant_${index}`);

/** A trace id of its own for each tenant. */
function traceOf(tenant: string): string {
  return tenant.slice("tenant_".length).padStart(32, "a");
}

/**
 * Has a service whose fetch has two connections, and many requests at once, call a receiver for each tenant. Returns
 * how many calls came with another's fields, and how many in another's trace.
 */
async function crossings(a: Service, receiver: Service): Promise<{ fields: number; traces: number }> {
  const wrong = { fields: 0, traces: 0 };
  const call = async (tenant: string): Promise<void> => {
    const headers = {
      baggage: `tenant_id=${tenant}`,
      traceparent: `00-${traceOf(tenant)}-b7ad6b7169203331-01`,
    };
    const { hops } = await send(a, { calls: [{ via: "fetch", url: receiver.url }] }, headers);
    const [{ headers: came }] = hops as [OtelHop];
    if (came["baggage"]?.join() !== `tenant_id=${tenant}`) wrong.fields++;
    if (!came["traceparent"]?.join().includes(traceOf(tenant))) wrong.traces++;
  };
  await Promise.all(tenants.map(call));
  return wrong;
}

const busy = { CONNECTIONS: "2" };

test("OpenTelemetry alone sends other requests' fields when a pool of undici's is busy: the control", async () => {
  await using receiver = await startOtel([], { CLEW_ABSENT: "1" });
  await using a = await startOtel(["--import", sdk], { CLEW_ABSENT: "1", ...busy });
  const { fields, traces } = await crossings(a, receiver);
  assert.ok(fields > 0 && traces > 0, `the harness sees none: ${fields} fields, ${traces} traces`);
});

for (const [order, load] of Object.entries(orders)) {
  test(`with Clew, ${order}, each call carries its own request's fields, in its own trace`, async () => {
    await using receiver = await startOtel([], { CLEW_ABSENT: "1" });
    await using a = await startOtel(load, busy);
    assert.deepEqual(await crossings(a, receiver), { fields: 0, traces: 0 });
  });
}
