import assert from "node:assert/strict";
import { test } from "node:test";
import { createServer, RpcError } from "@clew/rpc";
import { startUpstream } from "@clew/testing";
import { api, managerPath } from "../api.ts";
import { createManagerClient } from "../manager-client.ts";

test("every function is called at the manager's path, under its own name, with the token", async () => {
  const calls: Array<[string, string | undefined]> = [];
  const server = createServer({ service: "manager", onContextFault: () => {} });
  server
    .implement(api.sessions.open, ({ owner, host }, call) => {
      calls.push([call.function, call.token]);
      return { session: `${owner}@${host}`, token: "t", epoch: 1, leaseMs: 15_000 };
    })
    .implement(api.health, (_, call) => {
      calls.push([call.function, call.token]);
      return { status: "ok", version: "0.0.0", startedAt: 1, environment: "shop-dev" };
    });
  await using manager = await startUpstream({
    handle: (request, response) => server.handle(request, response),
  });
  const client = createManagerClient({ url: `${manager.url}/`, token: "secret", service: "cli" });
  assert.equal((await client.sessions.open({ owner: "anna", host: "laptop" })).session, "anna@laptop");
  assert.equal((await client.health({})).environment, "shop-dev");
  client.close();
  assert.deepEqual(calls, [
    ["sessions.open", "secret"],
    ["manager.health", "secret"],
  ]);
  assert.deepEqual([...new Set(manager.requests)], [`POST ${managerPath}`]);
});

test("the manager's refusal keeps its code, details and hint", async () => {
  const server = createServer({ service: "manager", onContextFault: () => {} });
  const details = { override: "o1", owner: "ben", since: 1_000, idle: false };
  server.implement(api.overrides.put, () => {
    throw new RpcError("E_ROUTE_TAKEN", "route anna is ben's", {
      details,
      status: 409,
      hint: "choose another",
    });
  });
  await using manager = await startUpstream({
    handle: (request, response) => server.handle(request, response),
  });
  const client = createManagerClient({ url: manager.url, service: "cli" });
  const override = { route: "anna", service: "orders", target: { kind: "tunnel", port: 4005 } } as const;
  const expected = { code: "E_ROUTE_TAKEN", details, status: 409, hint: "choose another" };
  await assert.rejects(client.overrides.put({ session: "s", token: "t", override }), expected);
  const wrong = client.overrides.put({ session: "s", token: "t", override: { ...override, route: "" } });
  await assert.rejects(wrong, {
    code: "INVALID_ARGUMENTS",
    source: { pointer: "/call/arguments/override/route" },
  });
  client.close();
});

test("a manager's URL that is none is refused when the client is made", () => {
  assert.throws(() => createManagerClient({ url: "localhost:7400", service: "cli" }), {
    code: "E_RPC_OPTIONS",
  });
  assert.throws(() => createManagerClient({ url: "", service: "cli" }), { code: "E_RPC_OPTIONS" });
});
