import assert from "node:assert/strict";
import { test } from "node:test";
import { isRouteName } from "@clew/context";
import fc from "fast-check";
import { defaultRoute, ownerName } from "./owner.ts";

test("a flag names the owner before the environment, the environment before the system", () => {
  assert.equal(ownerName("ann", { CLEW_OWNER: "bob" }), "ann");
  assert.equal(ownerName(undefined, { CLEW_OWNER: "bob" }), "bob");
  assert.notEqual(ownerName(undefined, {}), "");
});

test("any owner's name becomes a route name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (name) => isRouteName(defaultRoute(name))),
  );
  assert.equal(defaultRoute("Ann-Marie O'Neil"), "ann-marie-o-neil");
});
