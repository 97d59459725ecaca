import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonValue } from "@clew/wire";
import fc from "fast-check";
import { type Context, emptyContext } from "./context.ts";
import { extractContext } from "./extract.ts";
import { createFieldSet } from "./fields/field-set.ts";
import { type JoinPolicy, joinContexts } from "./join.ts";

const quiet = (): void => undefined;

function join(fields: Record<string, JsonValue>[], policies: Record<string, JoinPolicy> = {}): Context {
  return joinContexts(
    fields.map((each) => emptyContext.with(each)),
    policies,
    quiet,
  );
}

const fieldsOf = (context: Context) => Object.fromEntries(context.entries());

test("a tenant that messages differ in is never picked: it is left out, marked and reported", () => {
  const faults: unknown[] = [];
  const contexts = ["acme", "other"].map((tenant_id) => emptyContext.with({ tenant_id, region: "eu" }));
  const joined = joinContexts(contexts, {}, (...fault) => faults.push(fault));
  assert.deepEqual(fieldsOf(joined), { region: "eu", "clew-conflicts": ["tenant_id"] });
  assert.deepEqual(faults, [["conflict", 1, "tenant_id"]]);
});

test("a tenant that one message lacks is left out as well", () => {
  assert.deepEqual(fieldsOf(join([{ tenant_id: "acme" }, {}])), { "clew-conflicts": ["tenant_id"] });
});

test("union, max, min and first take what they say", () => {
  const policies = { flags: "union", size: "max", age: "min", name: "min", source: "first" } as const;
  const joined = join(
    [
      { flags: ["a", "b"], size: 2, age: 3, name: "beta" },
      { flags: ["b", { c: 1 }], size: 10, age: 20, name: "alpha", source: "s2" },
      { flags: "d", source: "s3", size: 9 },
    ],
    policies,
  );
  assert.deepEqual(fieldsOf(joined), {
    flags: ["a", "b", { c: 1 }, "d"],
    size: 10,
    age: 3,
    name: "alpha",
    source: "s2",
  });
});

test("what has no order has no greatest: a mixture or an object is a conflict, unless all agree", () => {
  const policies = { a: "max", b: "max", c: "min" } as const;
  const joined = join(
    [
      { a: 1, b: { x: 1 }, c: { x: 1 } },
      { a: "2", b: { x: 2 }, c: { x: 1 } },
    ],
    policies,
  );
  assert.deepEqual(fieldsOf(joined), { c: { x: 1 }, "clew-conflicts": ["a", "b"] });
});

test("the trace and the caller stay only where all agree", () => {
  const read = (trace: string, caller: string) =>
    extractContext(
      (name) =>
        ({
          baggage: "a=1",
          traceparent: `00-${trace.repeat(32)}-${"b".repeat(16)}-01`,
          tracestate: "v=1",
          "x-forrst-caller": caller,
        })[name],
    );
  const same = joinContexts([read("a", "x"), read("a", "x")], {}, quiet);
  assert.deepEqual([same.traceparent?.slice(3, 5), same.tracestate, same.caller], ["aa", "v=1", "x"]);
  const mixed = joinContexts([read("a", "x"), read("c", "y")], {}, quiet);
  assert.deepEqual(
    [mixed.traceparent, mixed.tracestate, mixed.caller, mixed.baggage],
    [undefined, undefined, undefined, "a=1"],
  );
});

test("what all agree on keeps its bytes, and is the same however it was escaped", () => {
  const [one, two] = ["n=json:9007199254740993;p=1,a=%41", "a=A , n=json:9007199254740993"].map((baggage) =>
    extractContext((name) => (name === "baggage" ? baggage : undefined)),
  ) as [Context, Context];
  assert.equal(joinContexts([one, two], {}, quiet).baggage, "n=json:9007199254740993;p=1,a=%41");
  assert.equal(joinContexts([one, one], {}, quiet).baggage, one.baggage);
});

test("marks of earlier joins are kept, and many conflicts do not fill the header", () => {
  const first = join([{ tenant_id: "a" }, { tenant_id: "b" }]);
  const again = joinContexts([first, emptyContext.with({ user: "u" })], {}, quiet);
  assert.deepEqual(again.get("clew-conflicts"), ["tenant_id", "user"]);
  const many = (value: string) => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, value]));
  const marked = join([many("a"), many("b")]).get("clew-conflicts") as string[];
  assert.deepEqual([marked.length, marked.at(-1)], [17, "*"]);
});

test("no contexts join to the empty one", () => {
  assert.equal(joinContexts([]), emptyContext);
});

test("policies that are declared hold where none is given", () => {
  const anything = {
    "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
  } as const;
  createFieldSet({ "join.flags": anything }, { join: { "join.flags": "union" } });
  const fields = [{ "join.flags": ["a"] }, { "join.flags": ["b"] }];
  assert.deepEqual(join(fields).get("join.flags"), ["a", "b"]);
  assert.deepEqual(join(fields, { "join.flags": "first" }).get("join.flags"), ["a"]);
});

test("joining never throws, never invents a value under `single`, and does not depend on the order but in `first`", () => {
  const fields = fc.dictionary(
    fc.constantFrom("a", "b", "toString", "__proto__"),
    fc.jsonValue({ maxDepth: 1 }),
  );
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 4 }), (records) => {
      const contexts = records.map((record) => emptyContext.with(JSON.parse(JSON.stringify(record))));
      const joined = joinContexts(contexts, {}, quiet);
      const reversed = joinContexts(contexts.toReversed(), {}, quiet);
      for (const [name, value] of joined.entries()) {
        if (name === "clew-conflicts") continue;
        for (const context of contexts) assert.deepEqual(context.get(name), value);
        assert.deepEqual(reversed.get(name), value);
      }
      const names = new Set(contexts.flatMap((context) => [...context.entries()].map(([name]) => name)));
      const conflicts = (joined.get("clew-conflicts") ?? []) as string[];
      for (const name of names) assert.notEqual(joined.has(name), conflicts.includes(name));
    }),
  );
});
