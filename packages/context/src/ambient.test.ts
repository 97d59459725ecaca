import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { ambientStorage, context } from "./ambient.ts";
import { emptyContext } from "./context.ts";

const acme = emptyContext.with({ tenant_id: "acme" });

test("outside of a request there is no context", () => {
  assert.equal(context.current(), undefined);
  assert.equal(context.get("tenant_id"), undefined);
});

test("a scope holds across awaits and ends with its function", async () => {
  const seen = await context.run(acme, async () => {
    await new Promise(setImmediate);
    return context.get("tenant_id");
  });
  assert.equal(seen, "acme");
  assert.equal(context.current(), undefined);
});

test("requests at the same time never see each other's fields", async () => {
  const work = async (tenant: string) => {
    for (let i = 0; i < 5; i++) await new Promise(setImmediate);
    return [tenant, context.get("tenant_id")];
  };
  const tenants = Array.from({ length: 20 }, (_, index) => `t${index}`);
  const seen = await Promise.all(
    tenants.map((tenant) => context.with({ tenant_id: tenant }, () => work(tenant))),
  );
  assert.deepEqual(
    seen,
    tenants.map((tenant) => [tenant, tenant]),
  );
});

test("a child scope changes fields for itself alone", () => {
  context.run(acme, () => {
    context.with({ tenant_id: "other", extra: 1 }, () => {
      assert.deepEqual([context.get("tenant_id"), context.get("extra")], ["other", 1]);
    });
    assert.equal(context.current(), acme);
  });
});

test("a bound function runs in the scope it was bound in, whoever calls it, with its this and arguments", () => {
  const bound = context.run(acme, () =>
    context.bind(function (this: unknown, suffix: string) {
      return [this, context.get("tenant_id"), suffix];
    }),
  );
  const outside = context.bind(() => context.current());
  context.with({ tenant_id: "other" }, () => {
    const self = {};
    assert.deepEqual(bound.call(self, "x"), [self, "acme", "x"]);
    assert.equal(outside(), undefined);
  });
});

test("a listener called by somebody else's event keeps its scope when it is bound", async () => {
  const emitter = new EventEmitter();
  context.run(acme, () =>
    emitter.once(
      "ready",
      context.bind(() => emitter.emit("seen", context.get("tenant_id"))),
    ),
  );
  const seen = once(emitter, "seen");
  context.with({ tenant_id: "other" }, () => emitter.emit("ready"));
  assert.deepEqual(await seen, ["acme"]);
});

test("however many copies of the package are loaded, there is one storage", async () => {
  const secondCopy = (await import(new URL("./ambient.js?second", import.meta.url).href)) as {
    ambientStorage: typeof ambientStorage;
    context: typeof context;
  };
  assert.notEqual(secondCopy.context, context);
  assert.equal(secondCopy.ambientStorage(), ambientStorage());
  assert.equal(
    context.run(acme, () => secondCopy.context.get("tenant_id")),
    "acme",
  );
});
