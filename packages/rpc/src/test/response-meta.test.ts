import assert from "node:assert/strict";
import { test } from "node:test";
import { RpcError } from "../rpc-error.ts";
import type { Call } from "../server/call.ts";
import { createServer } from "../server/create-server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import { anything, type Listening, listen, nothing } from "./fixtures.ts";

async function serve(handler: (call: Call) => unknown, options: Partial<ServerOptions>): Promise<Listening> {
  const common = { version: "1.0.0", arguments: nothing, result: anything };
  const server = createServer({ service: "a", onContextFault: () => {}, ...options });
  return await listen(server.function("a.run", { ...common, handler: (_, call) => handler(call) }));
}

async function call(
  url: string,
  name = "a.run",
): Promise<{ headers: Headers; meta: unknown; status: number }> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      protocol: { name: "forrst", version: "0.1.0" },
      id: "req_1",
      call: { function: name },
    }),
  });
  const { meta } = (await response.json()) as { meta?: unknown };
  return { headers: response.headers, meta, status: response.status };
}

test("every answer says how long it took, refusals too; which node only where it has a name (transport, Response Headers)", async () => {
  await using named = await serve(() => 1, { node: "orders-api-2" });
  const { headers, meta } = await call(named.url);
  assert.match(headers.get("x-forrst-duration-ms") ?? "", /^\d+$/);
  assert.equal(headers.get("x-forrst-node"), "orders-api-2");
  assert.deepEqual(meta, { node: "orders-api-2" });
  const refused = await call(named.url, "a.unknown");
  assert.match(refused.headers.get("x-forrst-duration-ms") ?? "", /^\d+$/);
  assert.deepEqual([refused.status, refused.meta], [404, { node: "orders-api-2" }]);
  await using nameless = await serve(() => 1, {});
  const plain = await call(nameless.url);
  assert.deepEqual([plain.headers.get("x-forrst-node"), plain.meta], [null, undefined]);
});

test("a rate limit that a handler tells is in `meta` and in headers, in whole seconds there (document-structure, Response Meta Object)", async () => {
  await using service = await serve(({ meta }) => {
    meta.rateLimit = { limit: 1_000, remaining: 847, resetsInMs: 44_100, policy: "1000;w=60" };
    return 1;
  }, {});
  const { headers, meta } = await call(service.url);
  assert.deepEqual(meta, {
    rate_limit: { limit: 1_000, remaining: 847, resets_in: { value: 44_100, unit: "millisecond" } },
  });
  const names = ["limit", "remaining", "reset", "policy"].map((name) => headers.get(`ratelimit-${name}`));
  assert.deepEqual(names, ["1000", "847", "45", "1000;w=60"]);
});

test("an error that says when to come back says so in Retry-After as well (extensions/rate-limit, Retry-After Header)", async () => {
  await using service = await serve(({ meta }) => {
    meta.rateLimit = { limit: 100, remaining: 0, resetsInMs: 23_000 };
    throw new RpcError("RATE_LIMITED", "Rate limit exceeded", { retryAfterMs: 23_000 });
  }, {});
  const { headers, status } = await call(service.url);
  const told = ["retry-after", "ratelimit-remaining", "ratelimit-reset"].map((name) => headers.get(name));
  assert.deepEqual([status, ...told], [429, "23", "0", "23"]);
});

test("a node whose name no header can hold is refused when the server is made", () => {
  assert.throws(() => createServer({ service: "a", node: "a\r\nb" }), { code: "E_RPC_OPTIONS" });
});
