import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { connectionTokens, forwardedHeaders, headerLines } from "./headers.ts";

const hopNames = ["connection", "keep-alive", "proxy-connection", "te", "upgrade"];
const endToEnd = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,8}$/)
  .filter((name) => !hopNames.includes(name.toLowerCase()));
const anyCase = (name: string): fc.Arbitrary<string> =>
  fc.mixedCase(fc.constant(name), { toggleCase: (char) => char.toUpperCase() });
const value = fc.stringMatching(/^[!-~]{0,10}$/);
const line = fc.record({
  name: fc.oneof(endToEnd, ...hopNames.filter((name) => name !== "connection").map(anyCase)),
  value,
});

test("every line that is not for one hop stays, in its place, casing and number; no other does", () => {
  fc.assert(
    fc.property(fc.array(line), fc.subarray(["x-a", "te", "host"]), (lines, nominated) => {
      const connection = { name: "Connection", value: nominated.join(", ") };
      const raw = [connection, ...lines].flatMap((each) => [each.name, each.value]);
      const kept = lines.filter(({ name, value: text }) => {
        const lower = name.toLowerCase();
        if (lower === "te") return text.toLowerCase() === "trailers";
        return !hopNames.includes(lower) && (lower === "host" || !nominated.includes(lower));
      });
      assert.deepEqual(
        forwardedHeaders(raw),
        kept.flatMap((each) => [each.name, each.value]),
      );
    }),
  );
});

test("an upgrade keeps its two lines, and only the option that is its own", () => {
  const raw = ["Connection", "keep-alive, Upgrade, X", "Upgrade", "websocket", "X", "1", "Y", "2"];
  assert.deepEqual(forwardedHeaders(raw, { upgrade: true }), [
    ...["Connection", "Upgrade", "Upgrade", "websocket"],
    ...["Y", "2"],
  ]);
});

test("edits see lower-case names, remove all lines of one, and add after that", () => {
  const raw = ["A", "1", "a", "2", "B", "3"];
  const edits = { remove: ["a"], set: [["a", "4"]] as const };
  assert.deepEqual(forwardedHeaders(raw, { edits }), ["B", "3", "a", "4"]);
});

test("lines and connection options are found whatever their casing and spacing", () => {
  const raw = ["CONNECTION", " Close ,x", "connection", "Y"];
  assert.deepEqual(headerLines(raw, "connection"), [" Close ,x", "Y"]);
  assert.deepEqual([...connectionTokens(raw)], ["close", "x", "y"]);
});
