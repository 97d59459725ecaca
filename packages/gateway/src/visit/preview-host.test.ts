import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePreviewHost } from "./preview-host.ts";

const cases: ReadonlyArray<readonly [authority: string, slug: string | undefined]> = [
  ["demo.preview.localhost:8000", "demo"],
  ["demo.preview.localhost", "demo"],
  ["DEMO.Preview.LocalHost:80", "demo"],
  ["demo.preview.localhost.:80", "demo"],
  ["a.b.preview.localhost", "a.b"],
  ["preview.localhost:8000", ""],
  ["localhost:8000", undefined],
  ["demo-preview.localhost", undefined],
  ["demo.preview.localhost.example.com", undefined],
  ["demo.preview.localhost@example.com", undefined],
  ["[::1]:8000", undefined],
  ["", undefined],
];

for (const [authority, slug] of cases) {
  test(`${authority || "no host"} ${slug === undefined ? "is no preview" : `is the preview "${slug}"`}`, () => {
    assert.equal(parsePreviewHost(authority, "preview.localhost"), slug);
  });
}
