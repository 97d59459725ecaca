import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, parseVersion, type Version } from "./semver.ts";

const version = (text: string): Version => {
  const parsed = parseVersion(text);
  assert.ok(parsed, text);
  return parsed;
};

test("orders versions as semantic versioning does, prereleases before their release", () => {
  const ordered = [
    "0.9.0",
    "1.0.0-1",
    "1.0.0-2",
    "1.0.0-11",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.10.0",
    "2.0.0",
  ];
  const sorted = ordered.toReversed().map(version).sort(compareVersions);
  assert.deepEqual(
    sorted.map(({ text }) => text),
    ordered,
  );
});

test("refuses what is not a semantic version of the protocol", () => {
  const bad = [
    "",
    "1",
    "1.0",
    "1.0.0.0",
    "v1.0.0",
    "01.0.0",
    "1.0.0-",
    "1.0.0-01",
    "1.0.0+build",
    "1.0.0-a..b",
    " 1.0.0",
  ];
  for (const text of bad) assert.equal(parseVersion(text), undefined, text);
  assert.equal(parseVersion(`1.0.0-${"a.".repeat(10_000)}`), undefined);
});
