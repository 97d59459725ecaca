import assert from "node:assert/strict";
import { test } from "node:test";
import { countedAs } from "./client.ts";
import { createRateLimit } from "./rate-limit.ts";

test("so many at once, then as they come back; each key by itself", () => {
  let now = 0;
  const limit = createRateLimit({ perSecond: 0.5, burst: 2 }, 10, () => now);
  assert.deepEqual([limit.take("a").ok, limit.take("a").ok], [true, true]);
  assert.deepEqual(limit.take("a"), { ok: false, waitMs: 2_000 });
  assert.equal(limit.take("b").ok, true);
  now = 1_500;
  assert.deepEqual(limit.take("a"), { ok: false, waitMs: 500 });
  now = 2_000;
  assert.equal(limit.take("a").ok, true);
  limit.giveBack("a");
  assert.equal(limit.take("a").ok, true);
  assert.equal(limit.take("a").ok, false);
});

test("of more keys than the limit the one used longest ago is forgotten", () => {
  const limit = createRateLimit({ perSecond: 1, burst: 1 }, 2, () => 0);
  for (const key of ["a", "b", "a", "c"]) limit.take(key);
  assert.equal(limit.take("a").ok, false);
  assert.equal(limit.take("b").ok, true);
});

test("an IPv6 network of 64 bits counts as one client, however its addresses are written", () => {
  for (const address of ["2001:db8:0:1::2", "2001:0db8:0:01:ffff::1", "2001:db8::1:0:0:0:9"]) {
    assert.equal(countedAs(address), "2001:db8:0:1::/64");
  }
  assert.equal(countedAs("::1"), "0:0:0:0::/64");
  assert.equal(countedAs("192.0.2.1"), "192.0.2.1");
  assert.equal(countedAs("unknown"), "unknown");
});
