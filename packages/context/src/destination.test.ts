import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDestinationPattern, isInternalDestination } from "./destination.ts";

const internalByDefault = [
  "localhost",
  "orders",
  "ORDERS.",
  "app.localhost",
  "printer.local",
  "db.internal",
  "orders.shop.svc",
  "orders.shop.svc.cluster.local",
  "127.0.0.1",
  "127.255.0.9",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "169.254.1.1",
  "0.0.0.0",
  "::1",
  "[::1]",
  "::",
  "fd12:3456::1",
  "fc00::",
  "fe80::1%eth0",
  "febf::1",
  "::ffff:10.1.2.3",
  "::ffff:7f00:1",
];
const externalByDefault = [
  "",
  "example.com",
  "api.example.com.",
  "internal.example.com",
  "svc.example.com",
  "xlocal.com",
  "a.notlocal",
  "8.8.8.8",
  "172.15.0.1",
  "172.32.0.1",
  "192.169.0.1",
  "11.0.0.1",
  "100.64.0.1",
  "2001:db8::1",
  "fec0::1",
  "::ffff:8.8.8.8",
  "64:ff9b::a00:1",
];

test("private, loopback and link-local destinations are internal by default, and no other", () => {
  for (const host of internalByDefault) assert.equal(isInternalDestination(host), true, host);
  for (const host of externalByDefault) assert.equal(isInternalDestination(host), false, host);
});

test("an address in a disguise that only a resolver understands is external", () => {
  for (const host of [
    "134744072",
    "0x08080808",
    "8.8.2056",
    "0x8.0x8.0x8.0x8",
    "010.0.0.1",
    "10.1",
    "10.0.0.1.1",
    "1.2.3.4.",
    "::g",
    "10.0.0.1:80",
  ]) {
    assert.equal(isInternalDestination(host), false, host);
  }
});

test("a list extends the default, or stands instead of it", () => {
  const internal = ["*.shop.example", "api.example.com", "203.0.113.0/24", "2001:db8::/33", "not a pattern"];
  const extended = { internal };
  for (const host of [
    "a.shop.example",
    "a.b.SHOP.example",
    "api.example.com",
    "203.0.113.255",
    "2001:db8:7fff::1",
    "orders",
    "::1",
  ]) {
    assert.equal(isInternalDestination(host, extended), true, host);
  }
  for (const host of [
    "shop.example",
    "evilshop.example",
    "x.api.example.com",
    "203.0.114.0",
    "2001:db8:8000::1",
  ]) {
    assert.equal(isInternalDestination(host, extended), false, host);
  }
  const replaced = { internal: ["*.shop.example"], replace: true };
  assert.equal(isInternalDestination("a.shop.example", replaced), true);
  for (const host of ["localhost", "orders", "127.0.0.1"])
    assert.equal(isInternalDestination(host, replaced), false, host);
  assert.equal(isInternalDestination("example.com", { internal: ["*"] }), true);
});

test("what cannot be a pattern is known", () => {
  for (const pattern of ["*", "*.a.b", "a", "10.0.0.0/8", "::1", "fd00::/8"])
    assert.equal(isDestinationPattern(pattern), true, pattern);
  for (const pattern of [
    "",
    "*.",
    "**.a",
    "a.*",
    "10.0.0.0/33",
    "10.0.0.0/x",
    "a b",
    "http://a",
    "a:80",
    "10.0.1",
  ]) {
    assert.equal(isDestinationPattern(pattern), false, pattern);
  }
});

test("whatever the host is, the answer comes without throwing, and the same twice", () => {
  const policy = { internal: ["*.a"] };
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.ipV6(), fc.ipV4(), fc.domain()), (host) => {
      assert.equal(isInternalDestination(host, policy), isInternalDestination(host, policy));
    }),
    { numRuns: 2000 },
  );
});

test("every public IPv4 address is external, in its IPv6 form as well", () => {
  const isPrivate = (a: number, b: number) =>
    a === 10 ||
    a === 127 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254);
  const byte = fc.nat({ max: 255 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 255 }), byte, byte, byte, (a, b, c, d) => {
      const address = [a, b, c, d].join(".");
      assert.equal(isInternalDestination(address), isPrivate(a, b));
      assert.equal(isInternalDestination(`::ffff:${address}`), isPrivate(a, b));
    }),
  );
});
