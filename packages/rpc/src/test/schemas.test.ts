import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { createClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import { isRpcError } from "../rpc-error.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import { listen } from "../transports/listen.ts";

const version = "1.0.0";

/** Compiles only where both types are the same, which is the test. */
function sameType<A, B>(
  ..._proof: (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never]
): void {}

const orderSchema = {
  type: "object",
  properties: {
    customer: { type: "string", minLength: 1 },
    items: {
      type: "array",
      items: {
        type: "object",
        properties: { sku: { type: "string" }, quantity: { type: "integer", minimum: 1 } },
        required: ["sku", "quantity"],
      },
    },
    state: { enum: ["new", "paid"] },
    note: { type: ["string", "null"] },
    "odd/name~": { anyOf: [{ type: "number" }, { type: "boolean" }] },
  },
  required: ["customer", "items"],
  additionalProperties: false,
} as const;

const order = defineFunction({
  name: "orders.create",
  version,
  arguments: orderSchema,
  result: { type: "object", properties: { total: { type: "number" } }, required: ["total"] },
});

async function faults(server: ForrstServer, args: unknown): Promise<(string | undefined)[]> {
  await using listener = await listen(server);
  const client = createClient({ url: listener.url, service: "tests" });
  const any = { name: "orders.create", version, arguments: {}, result: {} } as const;
  const error = await client.call(defineFunction(any), args).then(
    () => assert.fail("the call succeeded"),
    (reason: unknown) => reason,
  );
  client.close();
  assert.ok(isRpcError(error));
  assert.ok(error.errors.every(({ code }) => code === "INVALID_ARGUMENTS"));
  return error.errors.map(({ source }) => source?.pointer);
}

test("a plain JSON Schema gives both ends their types", () => {
  type Args = typeof order extends { arguments: infer _; name: string } ? ArgsOf<typeof order> : never;
  sameType<
    Args,
    {
      customer: string;
      items: { sku: string; quantity: number }[];
      state?: "new" | "paid" | undefined;
      note?: string | null | undefined;
      "odd/name~"?: number | boolean | undefined;
    }
  >();
  createServer({ service: "a" }).function("orders.create", {
    version,
    arguments: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    result: { type: "string" },
    handler({ n }) {
      sameType<typeof n, number>();
      return n.toFixed();
    },
  });
});

type ArgsOf<C> = C extends { readonly arguments: { readonly "~standard": { readonly types?: infer T } } }
  ? NonNullable<T> extends { readonly output: infer Output }
    ? Output
    : never
  : never;

test("every fault against a JSON Schema is told with its pointer, once", async () => {
  const server = createServer({ service: "a" }).implement(order, () => ({ total: 1 }));
  const args = {
    items: [{ sku: 1, quantity: 0 }],
    state: "lost",
    note: 1,
    "odd/name~": "x",
    more: true,
  };
  assert.deepEqual((await faults(server, args)).toSorted(), [
    "/call/arguments/customer",
    "/call/arguments/items/0/quantity",
    "/call/arguments/items/0/sku",
    "/call/arguments/more",
    "/call/arguments/note",
    "/call/arguments/odd~1name~0",
    "/call/arguments/state",
  ]);
});

test("a JSON Schema that cannot be used is refused when it is given", () => {
  const bad = { name: "a.b", version, arguments: { $ref: "#/$defs/none" }, result: {} } as const;
  assert.throws(() => defineFunction(bad), { code: "E_RPC_CONTRACT" });
});

test("a name that is no Unicode does not break a JSON Schema's validation", async () => {
  const server = createServer({ service: "a" }).implement(order, () => ({ total: 1 }));
  const pointers = await faults(server, { customer: "a", items: [], "\ud800": 1 });
  assert.equal(pointers.length, 1);
});

test("Zod, Valibot and ArkType validate, name the place, and give their types", async () => {
  const results = { version, result: z.number() };
  const withZod = createServer({ service: "a" }).function("orders.create", {
    ...results,
    arguments: z.object({ list: z.array(z.object({ n: z.number() })), d: z.string().default("x") }),
    handler({ list, d }) {
      sameType<typeof list, { n: number }[]>();
      sameType<typeof d, string>();
      return list.length;
    },
  });
  const withValibot = createServer({ service: "a" }).function("orders.create", {
    ...results,
    arguments: v.object({ list: v.array(v.object({ n: v.number() })) }),
    handler({ list }) {
      sameType<typeof list, { n: number }[]>();
      return list.length;
    },
  });
  const withArktype = createServer({ service: "a" }).function("orders.create", {
    ...results,
    arguments: type({ list: type({ n: "number" }).array() }),
    handler({ list }) {
      sameType<typeof list, { n: number }[]>();
      return list.length;
    },
  });
  for (const server of [withZod, withValibot, withArktype]) {
    assert.deepEqual(await faults(server, { list: [{ n: 1 }, { n: "x" }] }), ["/call/arguments/list/1/n"]);
  }
});
