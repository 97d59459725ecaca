import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { type Context, context, extractContext, injectContext, isInternalDestination } from "../index.ts";

/** Services as somebody would write them by hand with this package alone: orders calls payments. */
const seen = new Map<string, Context>();
const servers: Server[] = [];
let ordersPort = 0;

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function startService(service: string, next?: Server): Promise<Server> {
  const server = createServer((request, response) => {
    const received = extractContext((name) => request.headersDistinct[name]);
    seen.set(service, received);
    context.run(received, () => {
      if (next === undefined) response.end();
      else void call(portOf(next), service).then(() => response.end());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  servers.push(server);
  return server;
}

async function call(
  port: number,
  service: string,
  own: Record<string, string[] | string> = {},
): Promise<void> {
  const headers = { ...own };
  const current = context.current();
  if (current !== undefined && isInternalDestination("127.0.0.1")) {
    injectContext(current, (name, value) => (headers[name] = value), { service });
  }
  const request = get({ host: "127.0.0.1", port, headers, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
}

before(async () => {
  const payments = await startService("payments");
  ordersPort = portOf(await startService("orders", payments));
});
after(() => {
  for (const server of servers) server.close();
});

test("A to B to C: custom fields arrive as they left, and each hop names its sender", async () => {
  const baggage = ["tenant_id=tenant_acme", "feature_flags=json:[%22new_checkout%22];ttl=5 ,vendor=%41"];
  await call(ordersPort, "storefront", { baggage, "x-forrst-caller": "storefront" });
  const [orders, payments] = [seen.get("orders"), seen.get("payments")];
  assert.equal(orders?.caller, "storefront");
  assert.equal(payments?.caller, "orders");
  assert.deepEqual(payments?.get("feature_flags"), ["new_checkout"]);
  assert.equal(payments?.baggage, orders?.baggage);
  assert.equal(payments?.baggage, baggage.join(","));
});

test("a request without context is served, and its callees learn who called and nothing else", async () => {
  await call(ordersPort, "outside");
  const payments = seen.get("payments");
  assert.deepEqual([payments?.caller, payments?.size, payments?.traceparent], ["orders", 0, undefined]);
});
