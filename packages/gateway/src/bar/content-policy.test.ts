import assert from "node:assert/strict";
import { test } from "node:test";
import { allowsBar, amendPolicies, sandboxes } from "./content-policy.ts";

const cases: ReadonlyArray<readonly [name: string, before: string, after: string]> = [
  ["nothing is said of styles or frames", "script-src 'self'", "script-src 'self'"],
  ["everything is from itself", "default-src 'self'", "default-src 'self'; style-src 'self' H"],
  ["nothing is allowed", "default-src 'none'", "default-src 'none'; style-src H; frame-src 'self'"],
  ["styles by themselves", "style-src 'self'; img-src *", "style-src 'self' H; img-src *"],
  [
    "style elements by themselves",
    "style-src 'none'; style-src-elem 'self'",
    "style-src 'none'; style-src-elem 'self' H",
  ],
  [
    "inline styles are allowed: a hash would forbid them",
    "style-src 'unsafe-inline'",
    "style-src 'unsafe-inline'",
  ],
  [
    "inline is switched off by a nonce",
    "style-src 'unsafe-inline' 'nonce-a'",
    "style-src 'unsafe-inline' 'nonce-a' H",
  ],
  ["frames of others", "frame-src https://a.example", "frame-src https://a.example 'self'"],
  ["frames by child-src", "child-src 'none'", "child-src 'none'; frame-src 'self'"],
  ["frames of anybody", "frame-src *", "frame-src *"],
  ["two policies in a line", "style-src a, style-src b;", "style-src a H, style-src b H"],
  [
    "a directive that comes twice: the first counts",
    "style-src a; style-src b",
    "style-src a H; style-src b",
  ],
  ["capitals", "Default-Src 'NONE'", "Default-Src 'NONE'; style-src H; frame-src 'self'"],
  [
    "a sandbox has no frames of its own",
    "sandbox; default-src 'none'",
    "sandbox; default-src 'none'; style-src H",
  ],
  ["an empty policy", "", ""],
];

for (const [name, before, after] of cases) {
  test(`a policy lets the bar in, and nothing else: ${name}`, () => {
    assert.equal(amendPolicies(before, { style: "H" }), after);
  });
}

test("a policy in the document, which nobody can amend, says whether the bar works", () => {
  assert.deepEqual(allowsBar("script-src 'self'"), { style: true, frame: true });
  assert.deepEqual(allowsBar("default-src 'self'"), { style: false, frame: true });
  assert.deepEqual(allowsBar("style-src 'unsafe-inline'; frame-src 'none'"), { style: true, frame: false });
  assert.equal(sandboxes("default-src *, sandbox allow-scripts"), true);
  assert.equal(sandboxes("sandbox allow-scripts allow-same-origin"), false);
});
