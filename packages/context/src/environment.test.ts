import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyContext } from "./context.ts";
import { contextFromEnvironment, contextToEnvironment } from "./environment.ts";

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("a child process gets the context of its parent, whose name is the caller", () => {
  const parent = contextFromEnvironment({
    BAGGAGE: "a=%41;p,b=json:1",
    TRACEPARENT: traceparent,
    TRACESTATE: "x=1",
  });
  const env = contextToEnvironment(parent, "orders");
  const child = contextFromEnvironment(env);
  assert.deepEqual(
    [child.baggage, child.traceparent, child.tracestate, child.caller],
    ["a=%41;p,b=json:1", traceparent, "x=1", "orders"],
  );
});

test("an older context in the parent's environment does not reach the child", () => {
  const inherited = { BAGGAGE: "tenant_id=other", TRACEPARENT: traceparent, PATH: "/bin" };
  const child = contextFromEnvironment({ ...inherited, ...contextToEnvironment(emptyContext, "orders") });
  assert.deepEqual([child.size, child.traceparent, child.caller], [0, undefined, "orders"]);
  assert.equal(contextFromEnvironment({ BAGGAGE: "", TRACEPARENT: "", PATH: "/bin" }), emptyContext);
});
