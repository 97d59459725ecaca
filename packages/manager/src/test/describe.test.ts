import assert from "node:assert/strict";
import { test } from "node:test";
import { managerPath } from "@clew/control";
import { createCaller, createClient, type JsonObject } from "@clew/rpc";
import { startFixture } from "./manager-fixture.ts";

interface Described {
  readonly name: string;
  readonly "x-arguments-schema": JsonObject;
  readonly "x-event-schema"?: JsonObject;
  readonly "x-schemas-omitted"?: readonly string[];
  readonly result?: { readonly schema: JsonObject };
}

interface Functions {
  readonly [name: string]: { arguments: object; result: { readonly functions: readonly Described[] } };
}

/** What anybody is told who asks a manager for all that it can do. */
async function describeManager(): Promise<readonly Described[]> {
  await using fixture = await startFixture();
  const client = createClient({ url: `${fixture.manager.url}${managerPath}`, service: "test" });
  try {
    return (await createCaller<Functions>(client).call("urn:cline:forrst:fn:describe@1.0.0", {})).functions;
  } finally {
    client.close();
  }
}

const name = { type: "string", minLength: 1, maxLength: 256 };
const port = { type: "integer", minimum: 1, maximum: 65_535 };
const onFailure = { type: "string", enum: ["live", "error"] };

function objectOf(properties: JsonObject, ...optional: string[]): JsonObject {
  const required = Object.keys(properties).filter((property) => !optional.includes(property));
  return { type: "object", properties, required };
}

const tunnelOrAddress = (tunnel: JsonObject, url: JsonObject): JsonObject => ({
  oneOf: [objectOf({ kind: { const: "tunnel" }, ...tunnel }), objectOf({ kind: { const: "address" }, url })],
});

test("every function of the manager tells its schemas as JSON Schema", async () => {
  const functions = await describeManager();
  assert.ok(functions.length > 20);
  for (const described of functions) {
    assert.equal(described["x-schemas-omitted"], undefined, described.name);
    assert.equal(described["x-arguments-schema"]["type"], "object", described.name);
  }
  const put = functions.find((described) => described.name === "overrides.put") ?? assert.fail("none");
  const $schema = "https://json-schema.org/draft/2020-12/schema";
  const request = objectOf(
    {
      route: name,
      service: name,
      port: name,
      target: tunnelOrAddress({ port }, { type: "string", format: "uri" }),
      onFailure,
    },
    "port",
    "onFailure",
  );
  assert.deepEqual(put["x-arguments-schema"], {
    $schema,
    ...objectOf({ session: name, token: name, takeover: { type: "boolean" }, override: request }, "takeover"),
  });
  const override = objectOf(
    {
      id: name,
      route: name,
      service: name,
      port: name,
      target: tunnelOrAddress({ session: name, port, relay: name }, name),
      owner: name,
      session: name,
      createdAt: { type: "number", minimum: 0 },
      onFailure,
    },
    "session",
  );
  assert.deepEqual(put.result?.schema, {
    $schema,
    ...objectOf(
      { override, key: { type: "string", maxLength: 8_192 }, keyExpiresAt: { type: "number", minimum: 0 } },
      "keyExpiresAt",
    ),
  });
});

test("a stream of the manager tells the schema of its events", async () => {
  const functions = await describeManager();
  const watch = functions.find((described) => described.name === "tables.watch") ?? assert.fail("none");
  const kinds = watch["x-event-schema"]?.["oneOf"] as readonly JsonObject[];
  const told = kinds.map(({ properties }) => (properties as Record<string, JsonObject>)["kind"]?.["const"]);
  assert.deepEqual(told, ["snapshot", "delta", "leases"]);
});
