import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest-name.ts";

const known = ["storefront", "catalogue", "orders", "payments", "pricing"];

test("suggests the name that was most likely meant", () => {
  const suggestions = ["prcing", "Pricing", "order", "payment", "store-front", "cataloge"].map((name) =>
    nearestName(name, known),
  );
  assert.deepEqual(suggestions, ["pricing", "pricing", "orders", "payments", "storefront", "catalogue"]);
});

test("suggests nothing rather than something that is far off", () => {
  for (const name of ["", "x", "inventory", "front", "orderbook-service"])
    assert.equal(nearestName(name, known), undefined);
});
