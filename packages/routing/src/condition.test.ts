import assert from "node:assert/strict";
import { test } from "node:test";
import { compileCondition, conditionHolds } from "./condition.ts";
import { createRequest } from "./test/arbitraries.ts";
import type { Condition } from "./types.ts";

const holds = (how: Partial<Condition>, client: string | undefined): boolean =>
  conditionHolds(compileCondition({ on: "client", ...how }), createRequest({ client }));

test("a condition on the client compares addresses, however they are written", () => {
  assert.ok(holds({ equals: "10.1.2.3" }, "10.1.2.3"));
  assert.ok(holds({ equals: "10.1.2.3" }, "::ffff:10.1.2.3"), "as a dual-stack listener says it");
  assert.ok(holds({ equals: "2001:db8::1" }, "2001:0DB8:0:0:0:0:0:1"));
  assert.ok(holds({ equals: "fe80::1" }, "fe80::1%eth0"), "the zone is this machine's affair");
  assert.ok(!holds({ equals: "10.1.2.3" }, "10.1.2.30"));
});

test("a network holds its first and last address and not their neighbours", () => {
  for (const [address, expected] of [
    ["10.32.0.0", true],
    ["10.47.255.255", true],
    ["10.31.255.255", false],
    ["10.48.0.0", false],
    ["::1", false],
  ] as const) {
    assert.equal(holds({ prefix: "10.32.0.0/12" }, address), expected, address);
  }
  assert.ok(holds({ prefix: "::/0" }, "fd00::1"));
  assert.ok(!holds({ prefix: "::/0" }, "10.0.0.1"), "IPv4 is not part of IPv6 here");
});

test("a client whose address is not known satisfies no condition", () => {
  assert.ok(!holds({ prefix: "0.0.0.0/0" }, undefined));
  assert.ok(!holds({ prefix: "::/0" }, "unix"));
});
