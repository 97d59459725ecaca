import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import { createClient } from "../client/create-client.ts";
import { isRpcError, type RpcError } from "../rpc-error.ts";
import { fromJsonSchema } from "../schemas/json-schema-validator.ts";
import type { ForrstServer } from "../server/create-server.ts";
import { createServer } from "../server/create-server.ts";

const anything = fromJsonSchema({});

/** Calls one of the protocol's own functions, or another by its name. */
async function call(server: ForrstServer, name: string, args: object = {}): Promise<Record<string, unknown>> {
  const http = createHttpServer((request, response) => server.handle(request, response)).listen(
    0,
    "127.0.0.1",
  );
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  const client = createClient({ url: `http://127.0.0.1:${port}/forrst`, service: "tests" });
  const version = "1.0.0";
  try {
    const contract = { name, version, arguments: anything, result: anything };
    return (await client.call(contract, args)) as Record<string, unknown>;
  } finally {
    client.close();
    http.close();
    http.closeAllConnections();
  }
}

async function refusal(promise: Promise<unknown>): Promise<RpcError> {
  const error = await promise.then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  assert.ok(isRpcError(error));
  return error;
}

const health = "urn:cline:forrst:fn:health";
const describe = "urn:cline:forrst:fn:describe";

function createOrders(): ForrstServer {
  const handler = (): number => 1;
  return createServer({ service: "orders", version: "2.3.0" })
    .function("orders.create", {
      version: "1.0.0",
      arguments: {},
      result: { type: "number" },
      docs: { deprecated: { reason: "Use version 2.0.0", sunset: "2027-06-01" } },
      handler,
    })
    .function("orders.create", {
      version: "2.0.0",
      arguments: z.object({ customer: z.string(), note: z.string().optional() }),
      result: z.number(),
      docs: {
        summary: "Creates an order",
        sideEffects: ["create"],
        examples: [{ name: "smallest", arguments: { customer: "c1" }, result: 1 }],
      },
      handler,
    })
    .function("orders.create", {
      version: "3.0.0-beta.1",
      arguments: v.object({ customer: v.string() }),
      result: v.number(),
      handler,
    })
    .function("orders.debug", {
      version: "1.0.0",
      arguments: {},
      result: {},
      docs: { isDiscoverable: false },
      handler: () => "hidden",
    });
}

test("health is the worst of its components, and a check that throws or tells nothing has a status", async () => {
  const server = createServer({ service: "a", version: "1.2.3" })
    .component("database", () => ({ status: "healthy", message: "primary" }))
    .component("cache", async () => ({ status: "degraded", message: "failover" }));
  const degraded = await call(server, health);
  assert.deepEqual([degraded["status"], degraded["version"]], ["degraded", "1.2.3"]);
  const components = degraded["components"] as Record<string, Record<string, unknown>>;
  assert.deepEqual(Object.keys(components), ["database", "cache"]);
  assert.equal(components["database"]?.["message"], "primary");
  const latency = components["cache"]?.["latency"] as Record<string, unknown> | undefined;
  assert.equal(latency?.["unit"], "millisecond");
  server.component("queue", () => {
    throw new Error("amqp://user:secret@queue");
  });
  const unhealthy = await call(server, health);
  assert.equal(unhealthy["status"], "unhealthy");
  assert.equal(JSON.stringify(unhealthy).includes("secret"), false);
});

test("one component, the process itself, and only the status can be asked for", async () => {
  const server = createServer({ service: "a" })
    .component("database", () => undefined)
    .component("cache", () => ({ status: "unhealthy" }));
  const one = await call(server, health, { component: "database" });
  assert.deepEqual([one["status"], Object.keys(one["components"] as object)], ["healthy", ["database"]]);
  const self = await call(server, health, { component: "self", include_details: false });
  assert.deepEqual([self["status"], "components" in self], ["healthy", false]);
  const brief = await call(server, health, { include_details: false });
  assert.deepEqual([brief["status"], "components" in brief], ["unhealthy", false]);
  const unknown = await refusal(call(server, health, { component: "tape" }));
  assert.deepEqual(
    [unknown.code, unknown.source?.pointer, unknown.details?.["components"]],
    ["NOT_FOUND", "/call/arguments/component", ["self", "database", "cache"]],
  );
});

test("a function that is disabled or under maintenance refuses calls, and health says so", async () => {
  const server = createOrders();
  const until = "2027-01-15T12:00:00Z";
  server.setFunctionStatus("orders.create", {
    status: "maintenance",
    message: "upgrade",
    until,
    retryAfterMs: 5,
  });
  const refused = await refusal(call(server, "orders.create"));
  assert.deepEqual(
    [refused.code, refused.status, refused.retryAfterMs, refused.details],
    [
      "FUNCTION_MAINTENANCE",
      503,
      5,
      {
        function: "orders.create",
        reason: "upgrade",
        until,
      },
    ],
  );
  const told = await call(server, health);
  assert.equal(told["status"], "degraded");
  assert.equal(
    (told["functions"] as Record<string, { status: string }>)["orders.create"]?.status,
    "maintenance",
  );
  server.setFunctionStatus("orders.create", { status: "disabled" });
  assert.equal((await refusal(call(server, "orders.create"))).code, "FUNCTION_DISABLED");
  server.setFunctionStatus("orders.create", undefined);
  assert.equal(await call(server, "orders.create"), 1);
});

test("describe tells one function's versions, which is recommended, and their schemas", async () => {
  const told = await call(createOrders(), describe, { function: "orders.create" });
  assert.deepEqual(
    [told["function"], told["recommended_version"], told["side_effects"]],
    ["orders.create", "2.0.0", ["create"]],
  );
  const [first, second, third] = told["versions"] as Record<string, unknown>[];
  assert.deepEqual(first?.["deprecated"], { reason: "Use version 2.0.0", sunset: "2027-06-01" });
  assert.equal(second?.["stability"], "stable");
  const schema = second?.["schema"] as Record<string, Record<string, unknown>> | undefined;
  assert.deepEqual(
    [schema?.["arguments"]?.["required"], schema?.["returns"]?.["type"]],
    [["customer"], "number"],
  );
  assert.equal((second?.["examples"] as object[] | undefined)?.length, 1);
  // Valibot cannot write JSON Schema by itself, and that is said.
  assert.deepEqual(
    [third?.["stability"], third?.["schema"], third?.["x-schemas-omitted"]],
    ["beta", {}, ["arguments", "returns"]],
  );
});

test("describe tells one version, or everything, but what is not to be discovered", async () => {
  const server = createOrders();
  const one = await call(server, describe, {
    function: "orders.create",
    version: "1.0.0",
    include_schema: false,
  });
  const versions = one["versions"] as Record<string, unknown>[];
  assert.deepEqual(
    [versions.length, versions[0]?.["version"], "schema" in (versions[0] ?? {})],
    [1, "1.0.0", false],
  );
  const all = await call(server, describe);
  assert.deepEqual(all["info"], { title: "orders", version: "2.3.0" });
  const functions = all["functions"] as Record<string, unknown>[];
  assert.deepEqual(
    functions.map(({ name, version }) => `${name}@${version}`),
    ["orders.create@1.0.0", "orders.create@2.0.0", "orders.create@3.0.0-beta.1"],
  );
  assert.deepEqual(functions[1]?.["arguments"], [
    { name: "customer", schema: { type: "string" }, required: true },
    { name: "note", schema: { type: "string" }, required: false },
  ]);
  assert.equal(await call(server, "orders.debug"), "hidden");
  assert.equal(
    (await refusal(call(server, describe, { function: "orders.debug" }))).code,
    "FUNCTION_NOT_FOUND",
  );
  const missing = await refusal(call(server, describe, { function: "orders.create", version: "9.0.0" }));
  assert.deepEqual(
    [missing.code, missing.details?.["available_versions"]],
    ["VERSION_NOT_FOUND", ["1.0.0", "2.0.0", "3.0.0-beta.1"]],
  );
  assert.equal((await refusal(call(server, describe, { version: "1.0.0" }))).code, "INVALID_ARGUMENTS");
});

test("ping and capabilities answer under both vendors' names", async () => {
  for (const vendor of ["urn:cline:forrst", "urn:forrst"]) {
    assert.equal((await call(createOrders(), `${vendor}:fn:ping`))["status"], "healthy");
    const { service, functions } = await call(createOrders(), `${vendor}:fn:capabilities`);
    assert.deepEqual([service, functions], ["orders", ["orders.create"]]);
  }
});
