import assert from "node:assert/strict";
import { test } from "node:test";
import {
  contextHeadersIn,
  flatPairs,
  headerValue,
  noContextHeaders,
  outgoingFields,
  outgoingLines,
  plusContext,
  plusFields,
  withFields,
  withoutNames,
} from "./header-list.ts";

test("finds a header in whatever case it was written, in a list by its name and never by a value", () => {
  const list = ["X-A", "baggage", "Baggage", "a=1"];
  assert.equal(headerValue(list, "baggage"), "a=1");
  assert.equal(headerValue({ "X-A": "baggage", Baggage: "a=1" }, "baggage"), "a=1");
  assert.equal(headerValue(["x", "baggage"], "baggage"), undefined);
});

test("sets fields in a copy, in the place of what had their name", () => {
  const list = ["Accept", "*/*", "X-Forrst-Caller", "a"];
  assert.deepEqual(withFields(list, [["x-forrst-caller", "b"]]), ["Accept", "*/*", "x-forrst-caller", "b"]);
  assert.deepEqual(list, ["Accept", "*/*", "X-Forrst-Caller", "a"]);
  const object = { Accept: "*/*", "X-Forrst-Caller": "a" };
  assert.deepEqual(withFields(object, [["x-forrst-caller", "b"]]), { Accept: "*/*", "x-forrst-caller": "b" });
  assert.deepEqual(withoutNames(object, ["accept"]), { "X-Forrst-Caller": "a" });
  assert.deepEqual(withoutNames(list, ["accept"]), ["X-Forrst-Caller", "a"]);
});

test("finds the headers that hold a context in one look, the first of a name, and says when there is none", () => {
  assert.equal(
    contextHeadersIn({ accept: "*/*", "accept-encoding": "gzip", referer: "a" }),
    noContextHeaders,
  );
  assert.equal(contextHeadersIn([]), noContextHeaders);
  const found = { ...noContextHeaders, baggage: "a=1", "x-forrst-caller": "b" };
  assert.deepEqual(contextHeadersIn({ Baggage: "a=1", "X-Forrst-Caller": "b", "x-a": "baggage" }), found);
  assert.deepEqual(contextHeadersIn(["BAGGAGE", "a=1", "x-forrst-caller", "b", "baggage", "c=2"]), found);
});

test("adds fields in a copy", () => {
  const list = ["Accept", "*/*"];
  assert.deepEqual(plusFields(list, [["baggage", "a=1"]]), ["Accept", "*/*", "baggage", "a=1"]);
  assert.deepEqual(list, ["Accept", "*/*"]);
  assert.deepEqual(plusFields({ Accept: "*/*" }, [["baggage", "a=1"]]), { Accept: "*/*", baggage: "a=1" });
});

test("what carries a context is the same as a list, in a copy and as lines; what is absent is not set", () => {
  const none = { baggage: undefined, traceparent: undefined, tracestate: undefined };
  const fields = { baggage: "a=1", traceparent: "00-1", tracestate: "b=2", "x-forrst-caller": "c" };
  for (const headers of [
    fields,
    { ...none, "x-forrst-caller": "c" },
    { ...none, "x-forrst-caller": undefined },
  ]) {
    const set = Object.entries(headers).filter(([, value]) => value !== undefined);
    assert.deepEqual(outgoingFields(headers), set);
    assert.deepEqual(plusContext(["Accept", "*/*"], headers), ["Accept", "*/*", ...set.flat()]);
    assert.deepEqual(plusContext({ Accept: "*/*" }, headers), { Accept: "*/*", ...Object.fromEntries(set) });
    assert.equal(outgoingLines(headers), set.map(([name, value]) => `${name}: ${value}\r\n`).join(""));
  }
});

test("an iterable that is not made of pairs is not taken for headers", () => {
  assert.deepEqual(flatPairs(new Map([["a", "1"]])), ["a", "1"]);
  assert.deepEqual(flatPairs(new Set([["a", "1"], ["b"]])), undefined);
});
