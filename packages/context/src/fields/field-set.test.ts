import assert from "node:assert/strict";
import diagnosticsChannel from "node:diagnostics_channel";
import { test } from "node:test";
import { isClewError } from "@clew/errors";
import * as v from "valibot";
import { context } from "../ambient.ts";
import { emptyContext } from "../context.ts";
import { defineFields } from "../define-fields.ts";
import { extractContext } from "../extract.ts";
import { contextChannels } from "../faults.ts";
import { injectContext } from "../inject.ts";
import { createFieldSet } from "./field-set.ts";

const fields = defineFields(
  {
    tenant_id: v.string(),
    feature_flags: v.array(v.string()),
    started_at: v.pipe(
      v.string(),
      v.transform((text) => new Date(text)),
    ),
  },
  { important: ["tenant_id"] },
);

const fromWire = extractContext((name) =>
  name === "baggage"
    ? "tenant_id=json:42,feature_flags=json:[%22beta%22],started_at=2026-01-01T00:00:00Z"
    : undefined,
);

function refusedBy(code: string, act: () => unknown): void {
  assert.throws(act, (error) => isClewError(error) && error.code === code && error.hint !== undefined);
}

test("fields are read with the type of their schema's output", () => {
  context.run(fromWire, () => {
    const flags: string[] | undefined = fields.get("feature_flags");
    const startedAt: Date | undefined = fields.get("started_at");
    assert.deepEqual(flags, ["beta"]);
    assert.equal(startedAt?.getUTCFullYear(), 2026);
    // @ts-expect-error a list of flags is no number
    const wrong: number | undefined = fields.get("feature_flags");
    assert.notEqual(typeof wrong, "number");
    // @ts-expect-error no such field is defined
    refusedBy("E_CONTEXT_FIELD", () => fields.change(emptyContext, { tenant: "x" }));
  });
  assert.equal(fields.get("tenant_id"), undefined, "outside of a request there is nothing");
});

test("a wrong type from the wire is reported by name, and counts as absent", () => {
  const events: unknown[] = [];
  const listener = (event: unknown): void => void events.push(event);
  diagnosticsChannel.subscribe(contextChannels.mistyped, listener);
  const tenant = fields.read(fromWire, "tenant_id");
  diagnosticsChannel.unsubscribe(contextChannels.mistyped, listener);
  assert.equal(tenant, undefined);
  assert.deepEqual(events, [{ count: 1, what: "tenant_id" }]);
  assert.equal(fromWire.get("tenant_id"), 42, "the context itself keeps it, for the services behind");
});

test("a child scope is given what the schema takes, and sends just that", () => {
  const sent = fields.with({ tenant_id: "acme", started_at: "2026-01-01T00:00:00Z" }, () =>
    context.current(),
  );
  assert.deepEqual(sent?.get("started_at"), "2026-01-01T00:00:00Z");
  const removed = fields.change(sent ?? emptyContext, { started_at: undefined });
  assert.deepEqual([removed.has("started_at"), removed.get("tenant_id")], [false, "acme"]);
  // @ts-expect-error a tenant is a string
  refusedBy("E_CONTEXT_FIELD", () => fields.change(emptyContext, { tenant_id: 7 }));
});

test("a schema that answers later is refused where it is defined, or where it is first used", () => {
  const later = v.pipeAsync(
    v.string(),
    v.checkAsync(async () => true),
  );
  refusedBy("E_CONTEXT_SCHEMA_ASYNC", () => createFieldSet({ "async.first": later as never }));
  const sometimes = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        value === undefined ? { issues: [] } : Promise.reject(new Error("late")),
    },
  } as const;
  const { change } = createFieldSet({ "async.second": sometimes });
  refusedBy("E_CONTEXT_SCHEMA_ASYNC", () => change(emptyContext, { "async.second": 1 }));
});

test("a validator that throws has refused: reading throws nothing", () => {
  const faults: unknown[] = [];
  const throwing = v.pipe(
    v.string(),
    v.check(() => {
      throw new Error("bug");
    }),
  );
  const { read } = createFieldSet({ "throwing.a": throwing }, { onFault: (...fault) => faults.push(fault) });
  assert.equal(read(emptyContext.with({ "throwing.a": "x" }), "throwing.a"), undefined);
  assert.deepEqual(faults, [["mistyped", 1, "throwing.a"]]);
});

test("fields declared important are kept longer by whoever sends, without being told", () => {
  const many = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`k${index}`, "v"]));
  const sent = new Map<string, string>();
  const full = emptyContext.with({ ...many, tenant_id: "acme" });
  injectContext(full, (name, value) => sent.set(name, value), {
    service: "orders",
    onFault: () => undefined,
  });
  assert.match(sent.get("baggage") ?? "", /tenant_id=acme$/);
});

test("a name that no carrier can hold, and two policies for one field, are refused", () => {
  refusedBy("E_CONTEXT_NAME", () => createFieldSet({ caller: v.string() }));
  createFieldSet({ "twice.a": v.array(v.string()) }, { join: { "twice.a": "union" } });
  createFieldSet({ "twice.a": v.array(v.string()) });
  refusedBy("E_CONTEXT_FIELD_TWICE", () =>
    createFieldSet({ "twice.a": v.array(v.string()) }, { join: { "twice.a": "first" } }),
  );
});
