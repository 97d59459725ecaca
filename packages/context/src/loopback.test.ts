import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopbackHost } from "./loopback.ts";

const own = [
  "localhost",
  "LOCALHOST",
  "shop.localhost",
  "127.0.0.1",
  "127.255.0.9",
  "::1",
  "::ffff:127.0.0.1",
];
const foreign = [
  "",
  "0.0.0.0",
  "localhost.example",
  "127.0.0.1.example",
  "127.0.0.256",
  "127.1",
  "10.0.0.1",
  "::2",
  "notlocalhost",
];

test("knows this machine's own addresses and names, and none that only look so", () => {
  for (const host of own) assert.ok(isLoopbackHost(host), host);
  for (const host of foreign) assert.ok(!isLoopbackHost(host), host);
});
