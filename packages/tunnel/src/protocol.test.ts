import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bearerToken,
  credentialHeaders,
  formatEndpoint,
  parseCredentials,
  parseEndpoint,
  parsePort,
  parseTarget,
} from "./protocol.ts";

test("credentials come back as they were sent", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9._~-]{1,128}$/);
  const token = fc.stringMatching(/^[!-~]{1,64}$/);
  fc.assert(
    fc.property(name, token, fc.nat(), (session, secret, epoch) => {
      const credentials = { session, token: secret, epoch };
      assert.deepEqual(parseCredentials(credentialHeaders(credentials)), credentials);
    }),
  );
});

test("credentials with a part that is missing, doubled or malformed are none", () => {
  const right = credentialHeaders({ session: "s", token: "t", epoch: 1 });
  for (const name of Object.keys(right)) {
    assert.equal(parseCredentials({ ...right, [name]: undefined }), undefined);
    assert.equal(parseCredentials({ ...right, [name]: "" }), undefined);
    assert.equal(parseCredentials({ ...right, [name]: ["a", "b"] }), undefined);
  }
  for (const epoch of ["-1", "1.5", "1e3", "0x1", "9".repeat(16)]) {
    assert.equal(parseCredentials({ ...right, "clew-epoch": epoch }), undefined);
  }
});

test("an endpoint comes back as it was written, IPv6 in brackets", () => {
  const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
  fc.assert(
    fc.property(host, fc.integer({ min: 1, max: 65_535 }), (address, port) => {
      assert.deepEqual(parseEndpoint(formatEndpoint({ host: address, port })), { host: address, port });
    }),
  );
  for (const text of ["", "x", ":1", "x:", "x:0", "x:65536", "::1:80", "[::1]", "x:1:2", "http://x:1"]) {
    assert.equal(parseEndpoint(text), undefined, text);
  }
});

test("a target is a name and a port, and a port is one", () => {
  assert.deepEqual(parseTarget("orders:http"), { name: "orders", port: "http" });
  for (const text of [
    undefined,
    ["a:1", "b:1"],
    "",
    ":1",
    "a",
    "a:",
    "a b:1",
    "a:1/x",
    `${"a".repeat(129)}:1`,
  ]) {
    assert.equal(parseTarget(text), undefined);
  }
  assert.equal(parsePort("65535"), 65_535);
  for (const text of ["0", "65536", "-1", "1.0", " 1", "0x50", ""]) assert.equal(parsePort(text), undefined);
});

test("only a bearer token is one", () => {
  assert.equal(bearerToken({ authorization: "bearer abc" }), "abc");
  for (const value of ["abc", "Basic abc", "Bearer", "Bearer a b", ""]) {
    assert.equal(bearerToken({ authorization: value }), undefined);
  }
  assert.equal(bearerToken({}), undefined);
});
