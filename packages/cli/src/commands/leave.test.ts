import assert from "node:assert/strict";
import { test } from "node:test";
import type { Override } from "@clew/routing";
import { ownOverrides } from "./leave.ts";

const override = (id: string, owner: string, route: string): Override => ({
  id,
  owner,
  route,
  service: "pricing",
  port: "http",
  target: { kind: "tunnel", session: "s", port: 1, relay: "127.0.0.1:1" },
  createdAt: 0,
  onFailure: "live",
});
const all = [override("1", "ann", "ann"), override("2", "ann", "demo"), override("3", "bob", "bob")];

test("leaves all of one's own, or the one on the named route", () => {
  const ids = (route?: string): string[] =>
    ownOverrides(all, { service: "pricing", owner: "ann", route }).map(({ id }) => id);
  assert.deepEqual(ids(), ["1", "2"]);
  assert.deepEqual(ids("demo"), ["2"]);
});

test("somebody else's is not left, and the error says whose it is", () => {
  assert.throws(() => ownOverrides(all, { service: "pricing", owner: "ann", route: "bob" }), {
    code: "E_OVERRIDE_UNKNOWN",
    hint: /route bob of bob/,
  });
  assert.throws(() => ownOverrides([], { service: "pricing", owner: "ann", route: undefined }), {
    hint: /Nobody has/,
  });
});
