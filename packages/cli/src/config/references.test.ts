import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnreadable, referencesIn, resolveReferences, unknownReferences } from "./references.ts";

const env = { URL: "http://{pricing.http}/x", PLAIN: "a", TWO: "{a.http},{pricing.http}" };

test("references become addresses, and what is unknown stays as it is", () => {
  const addressOf = (service: string): string | undefined =>
    service === "pricing" ? "127.0.0.1:1" : undefined;
  assert.deepEqual(resolveReferences(env, addressOf), {
    URL: "http://127.0.0.1:1/x",
    PLAIN: "a",
    TWO: "{a.http},127.0.0.1:1",
  });
});

test("references are found, unknown ones named, an open brace noticed", () => {
  assert.deepEqual(referencesIn(env.TWO), [
    { service: "a", port: "http" },
    { service: "pricing", port: "http" },
  ]);
  assert.deepEqual(unknownReferences(env.TWO, { pricing: { ports: { http: {} } } }), ["a.http"]);
  assert.equal(isUnreadable("{pricing.http"), true);
  assert.equal(isUnreadable(env.URL), false);
});
