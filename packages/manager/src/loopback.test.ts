import assert from "node:assert/strict";
import { test } from "node:test";
import { authorityOf, hostOf, isLoopbackHost } from "./loopback.ts";

test("knows this machine's own addresses and names, and none that only look so", () => {
  for (const host of ["localhost", "LOCALHOST", "shop.localhost", "127.0.0.1", "127.255.0.9", "::1"])
    assert.ok(isLoopbackHost(host), host);
  for (const host of [
    "",
    "0.0.0.0",
    "localhost.example",
    "127.0.0.1.example",
    "127.0.0.256",
    "127.1",
    "10.0.0.1",
    "notlocalhost",
  ]) {
    assert.ok(!isLoopbackHost(host), host);
  }
});

test("takes an authority apart and puts it together", () => {
  assert.deepEqual(["a:1", "a", "[::1]:1", "[::1]"].map(hostOf), ["a", "a", "::1", "::1"]);
  assert.deepEqual([authorityOf("::1", 1), authorityOf("a", 1)], ["[::1]:1", "a:1"]);
});
