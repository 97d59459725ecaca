import assert from "node:assert/strict";
import { test } from "node:test";
import { createPreview } from "../test/gateway-fixture.ts";
import { createPreviewDirectory } from "./preview-directory.ts";

test("a preview that left the list has ended, one that never was on it is unknown, and before a list nobody knows", () => {
  const directory = createPreviewDirectory(10);
  assert.equal(directory.find("a").kind, "no-list");
  directory.use([createPreview("a"), createPreview("b")]);
  directory.use([createPreview("b")]);
  assert.deepEqual(
    ["a", "b", "c"].map((slug) => directory.find(slug).kind),
    ["ended", "live", "unknown"],
  );
  directory.use([createPreview("a")]);
  assert.deepEqual(
    ["a", "b"].map((slug) => directory.find(slug).kind),
    ["live", "ended"],
  );
});

test("of more ended previews than the limit the oldest are forgotten", () => {
  const directory = createPreviewDirectory(2);
  for (const slugs of [["a", "b", "c"], ["b", "c"], ["c"], []])
    directory.use(slugs.map((slug) => createPreview(slug)));
  assert.deepEqual(
    ["a", "b", "c"].map((slug) => directory.find(slug).kind),
    ["unknown", "ended", "ended"],
  );
});
