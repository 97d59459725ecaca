import assert from "node:assert/strict";
import { test } from "node:test";
import { extractContext } from "@clew/context";
import { childTraceparent, newTraceparent } from "./traceparent.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const isValid = (traceparent: string): boolean =>
  extractContext((name) => (name === "traceparent" ? traceparent : undefined)).traceparent === traceparent;

test("a new trace is valid, says that its id is random and that nobody has sampled it, and is never made twice", () => {
  const traces = Array.from({ length: 1_000 }, newTraceparent);
  assert.equal(new Set(traces.map((trace) => trace.slice(3, 35))).size, 1_000);
  for (const trace of traces) {
    assert.match(trace, /^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
    assert.equal(isValid(trace), true);
  }
});

test("a child keeps the trace id and the two flags that are defined, and has a parent-id of its own each time", () => {
  for (const [given, kept] of [
    ["00", "00"],
    ["01", "01"],
    ["02", "02"],
    ["03", "03"],
    ["ff", "03"],
    ["08", "00"],
  ]) {
    const children = Array.from({ length: 500 }, () =>
      childTraceparent(`00-${traceId}-b7ad6b7169203331-${given}`),
    );
    assert.equal(new Set(children).size, 500);
    for (const child of children) {
      assert.match(child, new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-${kept}$`));
    }
  }
});

test("a traceparent of a version to come is taken by what all versions have in common, and sent as version 00", () => {
  const child = childTraceparent(`cc-${traceId}-b7ad6b7169203331-01-what-the-future-will-be-like`);
  assert.match(child, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
});
