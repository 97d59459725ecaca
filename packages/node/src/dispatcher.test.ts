import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { context } from "@clew/context";
import { startUpstream } from "@clew/testing";
import { Agent, request } from "undici";
import { addPending, type CreatedRequest } from "./current-dispatch.ts";
import { createDispatcherHook } from "./dispatcher.ts";
import { Hook } from "./hook.ts";
import { createLostContexts } from "./lost-context.ts";
import { watchOpenTelemetry } from "./opentelemetry.ts";
import { createOutgoing } from "./outgoing.ts";

test("of requests to an agent of few connections, those that it makes at once and those that it queues carry their own context", async () => {
  await using upstream = await startUpstream({
    handle: (req, res) => res.end(req.headersDistinct["baggage"]?.join(" and ")),
  });
  const outgoing = createOutgoing({
    service: "test",
    destinations: {},
    participate: false,
    lost: createLostContexts(),
    openTelemetry: watchOpenTelemetry("test"),
  });
  const dispatcher = new Agent({ connections: 2 });
  const hook = new Hook("test");
  const dispatchers = createDispatcherHook(outgoing);
  dispatchers.add(hook, dispatcher);
  dispatchers.addToRequests(hook);
  let direct = 0;
  const onRequest = (message: unknown): void => {
    if (addPending((message as { request: CreatedRequest }).request)) direct += 1;
  };
  subscribe("undici:request:create", onRequest);
  const tenants = Array.from({ length: 60 }, (_, id) => `t${id}`);
  const reached = await Promise.all(
    tenants.map((tenant_id) =>
      context.with({ tenant_id }, async () => {
        const { body } = await request(upstream.url, { dispatcher, headers: { accept: "*/*" } });
        return body.text();
      }),
    ),
  );
  assert.deepEqual(
    reached,
    tenants.map((tenant) => `tenant_id=${tenant}`),
  );
  assert.ok(direct > 0 && direct < tenants.length, `${direct} of ${tenants.length} were made at once`);
  unsubscribe("undici:request:create", onRequest);
  hook.disable();
  await dispatcher.close();
});
