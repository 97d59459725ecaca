import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHeaders } from "./curl.ts";
import { parseDuration, parsePort } from "./parsers.ts";

test("ports and durations are read as people write them", () => {
  assert.equal(parsePort("4005"), 4005);
  assert.equal(parseDuration("24h"), 86_400_000);
});

for (const text of ["0", "65536", "-1", "4e3", "", "http"]) {
  test(`"${text}" is refused as a port`, () => assert.throws(() => parsePort(text), { code: "E_USAGE" }));
}

for (const text of ["0h", "24", "h", "1w", "1.5h", "-1h"]) {
  test(`"${text}" is refused as a duration`, () =>
    assert.throws(() => parseDuration(text), { code: "E_USAGE" }));
}

test("headers are split at the first colon; one without a colon and baggage are refused", () => {
  assert.deepEqual(parseHeaders(["Accept: a:b"]), { accept: "a:b" });
  for (const line of ["accept", ": x", "Baggage: a=b"]) {
    assert.throws(() => parseHeaders([line]), { code: "E_USAGE" }, line);
  }
});
