import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheEdits, cookieEdits } from "./answer-edits.ts";

const answer = (...rawHeaders: string[]) => ({ status: 200, fellBack: false, rawHeaders });

test("a preview's answer is kept by its visitor's browser alone", () => {
  const control = (...values: string[]): string | undefined => {
    const { set } = cacheEdits(answer(...values.flatMap((value) => ["Cache-Control", value])), "host");
    return set.find(([name]) => name === "cache-control")?.[1];
  };
  assert.equal(control(), "private");
  assert.equal(control("public, max-age=60, s-maxage=600", "immutable"), "private, max-age=60, immutable");
  assert.equal(control('private="set-cookie, x", no-cache'), "private, no-cache");
  assert.equal(control("no-store"), "no-store");
  const names = (lines: ReturnType<typeof cacheEdits>): string[] => lines.set.map(([name]) => name);
  assert.deepEqual(names(cacheEdits(answer(), "host")), ["cache-control", "vary", "x-robots-tag"]);
  for (const vary of ["Cookie", "accept, cookie", "*"])
    assert.ok(!names(cacheEdits(answer("Vary", vary), "host")).includes("vary"), vary);
});

test("where live has the same address, the browser asks before it uses what it has kept", () => {
  const { set } = cacheEdits(answer("Cache-Control", "public, max-age=60, immutable, no-cache"), "path");
  assert.deepEqual(set[0], ["cache-control", "private, no-cache, max-age=60"]);
});

test("cookies stay on the preview's host, whatever domain they were meant for, and none is the gateway's", () => {
  const lines = [
    "a=1; Domain=shop.example; Path=/x",
    "b=2;domain=.example;HttpOnly",
    "c=domain=x; Secure",
    "clew-visit=evil",
  ];
  const { remove, set } = cookieEdits(answer(...lines.flatMap((line) => ["Set-Cookie", line])), [
    "clew-visit=own",
  ]);
  assert.deepEqual(remove, ["set-cookie"]);
  assert.deepEqual(
    set.map(([, value]) => value),
    ["a=1; Path=/x", "b=2;HttpOnly", "c=domain=x; Secure", "clew-visit=own"],
  );
  assert.deepEqual(cookieEdits(answer("Set-Cookie", "a=1"), []), { remove: [], set: [] });
});
