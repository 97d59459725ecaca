import assert from "node:assert/strict";
import { test } from "node:test";
import { ClewError, isClewError } from "./clew-error.ts";

class RouteError extends ClewError {}

test("carries code, hint, cause and the name of its own class", () => {
  const cause = new Error("refused");
  const error = new RouteError("E_ROUTE_UNKNOWN", "no route x", { hint: "clew list", cause });
  assert.deepEqual(
    [error.name, error.code, error.message, error.hint, error.cause, error.retryable],
    ["RouteError", "E_ROUTE_UNKNOWN", "no route x", "clew list", cause, false],
  );
});

test("is recognised across copies of the package by its brand, and nothing else is", () => {
  const foreign = Object.assign(new Error("x"), { [Symbol.for("clew.error")]: true, code: "E_X" });
  assert.equal(isClewError(foreign), true);
  assert.equal(isClewError(new ClewError("E_X", "x")), true);
  assert.equal(isClewError(new Error("E_X")), false);
  assert.equal(isClewError(null), false);
});
