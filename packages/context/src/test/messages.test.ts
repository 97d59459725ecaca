import assert from "node:assert/strict";
import { test } from "node:test";
import { context, emptyContext, injectContext, joinContexts, kafkaCarrier } from "../index.ts";

/** A batch as a consumer gets it: the headers of each message hold the context of the request that sent it. */
function batchOf(tenants: readonly string[]): { headers: Record<string, unknown> }[] {
  return tenants.map((tenant) => {
    const headers = {};
    const sent = emptyContext.with({ tenant_id: tenant, flags: [tenant] });
    injectContext(sent, kafkaCarrier(headers), { service: "orders" });
    return { headers };
  });
}

test("each message of a batch is handled in its own context, at the same time or one after the other", async () => {
  const tenants = Array.from({ length: 50 }, (_, index) => `t${index}`);
  const handle = async (): Promise<unknown> => {
    await new Promise(setImmediate);
    return context.get("tenant_id");
  };
  const batch = batchOf(tenants);
  const together = batch.map(({ headers }) => context.run(kafkaCarrier(headers), handle));
  assert.deepEqual(await Promise.all(together), tenants);
  const inTurn: unknown[] = [];
  for (const { headers } of batch) inTurn.push(await context.run(kafkaCarrier(headers), handle));
  assert.deepEqual(inTurn, tenants);
  assert.equal(context.current(), undefined, "and none is left behind the batch");
});

test("work for the whole batch runs in the joined context, without any one message's tenant", () => {
  const carriers = batchOf(["acme", "other"]).map(({ headers }) => kafkaCarrier(headers));
  const contexts = carriers.map((carrier) => context.run(carrier, () => context.current() ?? emptyContext));
  const joined = joinContexts(contexts, { flags: "union" }, () => undefined);
  context.run(joined, () => {
    assert.equal(context.get("tenant_id"), undefined);
    assert.deepEqual(context.get("flags"), ["acme", "other"]);
    assert.deepEqual(context.get("clew-conflicts"), ["tenant_id"]);
    assert.equal(context.current()?.caller, "orders");
  });
});

test("a message without context is handled in an empty one, not in that of the code around it", () => {
  context.with({ tenant_id: "outer" }, () => {
    const seen = context.run(kafkaCarrier({}), () => context.get("tenant_id"));
    assert.equal(seen, undefined);
  });
});
