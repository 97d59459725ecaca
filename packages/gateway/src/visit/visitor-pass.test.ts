import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { Preview } from "@clew/control";
import { createPreview } from "../test/gateway-fixture.ts";
import { createVisitorPasses, slugOfPass, visitorLifetimeMs } from "./visitor-pass.ts";

const demo = createPreview("demo");
const key = randomBytes(32);

test("a pass is good for its preview, until it expires or the preview does", () => {
  let now = 1_000_000;
  const passes = createVisitorPasses(
    () => key,
    () => now,
  );
  const { value, visitor } = passes.issue(demo);
  assert.deepEqual(passes.check(value, demo), visitor);
  assert.equal(slugOfPass(value), "demo");
  now += demo.remainingMs;
  assert.equal(passes.check(value, demo), undefined);
  const long = passes.issue({ ...demo, remainingMs: 1e12 });
  now += visitorLifetimeMs + 1;
  assert.equal(passes.check(long.value, demo), undefined);
});

test("a pass of another preview, of an earlier one of the same name or with another password, or of another key, is worth nothing", () => {
  const passes = createVisitorPasses(() => key);
  const { value } = passes.issue(demo);
  const others: readonly Preview[] = [
    createPreview("other"),
    { ...demo, createdAt: 2 },
    { ...demo, access: { kind: "password", salt: "s", hash: "h" } },
  ];
  for (const other of others) assert.equal(passes.check(value, other), undefined);
  assert.equal(passes.check(value.replace("demo.", "other."), createPreview("other")), undefined);
  assert.equal(createVisitorPasses(() => randomBytes(32)).check(value, demo), undefined);
});

test("a pass that was changed anywhere is worth nothing, and no text makes the check fail", () => {
  const passes = createVisitorPasses(() => key);
  const { value, visitor } = passes.issue(demo);
  const last = (Date.now() + 1e9).toString(36);
  const [slug, id, expiry, signature] = value.split(".");
  const forged = [
    "",
    "demo",
    "demo...",
    `demo.${id}.${last}.${signature}`,
    `demo.other.${expiry}.${signature}`,
    `${value}.x`,
  ];
  for (const text of [...forged, `${slug}.${id}.${expiry}.`, `.${id}.${expiry}.${signature}`]) {
    assert.equal(passes.check(text, demo), undefined, text);
  }
  assert.deepEqual(passes.check(value, demo), visitor);
});
