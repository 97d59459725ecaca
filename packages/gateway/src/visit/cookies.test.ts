import assert from "node:assert/strict";
import { test } from "node:test";
import { formatCookie, readCookie, withoutGatewayCookies } from "./cookies.ts";

test("the gateway's cookies are taken out, and all others stay as they came", () => {
  const without = (...lines: string[]): readonly string[] | undefined =>
    withoutGatewayCookies(lines.flatMap((line) => ["Cookie", line]));
  assert.equal(without("a=1;  b = 2;c"), undefined, "nothing to take out");
  assert.deepEqual(without("clew-visit=x; a=1;  b = 2;c"), ["a=1;  b = 2;c"]);
  assert.deepEqual(without("a=1; __Host-clew-visit=x; clew-away=y; b=clew-visit"), ["a=1; b=clew-visit"]);
  assert.deepEqual(without("clew-visit=x", "a=1"), ["a=1"]);
  assert.deepEqual(without("clew-visit=x"), []);
  assert.equal(without("xclew-visit=x; Clew-Visit=y"), undefined, "names are exact");
});

test("with TLS a cookie counts only with the prefix that keeps sister hosts from setting it", () => {
  const raw = ["cookie", "clew-visit=tossed; __Host-clew-visit=own"];
  assert.deepEqual(readCookie(raw, "clew-visit", true), ["own"]);
  assert.deepEqual(readCookie(raw, "clew-visit", false), ["tossed"]);
  assert.equal(
    formatCookie("clew-visit", "v", { isSecure: true, maxAgeMs: 1_999 }),
    "__Host-clew-visit=v; Path=/; Max-Age=1; HttpOnly; SameSite=Lax; Secure",
  );
  assert.equal(
    formatCookie("clew-away", "v", { isSecure: false }),
    "clew-away=v; Path=/; HttpOnly; SameSite=Lax",
  );
});
