import assert from "node:assert/strict";
import { test } from "node:test";
import { believeFields } from "./believe.ts";
import { emptyContext } from "./context.ts";
import { extractContext } from "./extract.ts";

const outside = extractContext(
  (name) =>
    ({
      baggage: "tenant_id=x,beta=json:9007199254740993;p=1,clew-route=alice,clew-edge=1",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      tracestate: "v=1",
      "x-forrst-caller": "mallory",
    })[name],
);

test("of what came from outside only the listed fields are believed, as the bytes that came, and no caller", () => {
  const believed = believeFields(outside, ["beta", "absent"]);
  assert.deepEqual(
    [believed.baggage, believed.caller, believed.traceparent],
    ["beta=json:9007199254740993;p=1", undefined, undefined],
  );
  assert.equal(believeFields(outside, []), emptyContext);
});

test("Clew's own fields are not believed by listing them", () => {
  assert.equal(believeFields(outside, ["clew-route", "clew-edge"]), emptyContext);
});

test("the trace is taken over where that is asked for", () => {
  const believed = believeFields(outside, [], { trace: true });
  assert.deepEqual([believed.traceparent, believed.tracestate], [outside.traceparent, "v=1"]);
});
