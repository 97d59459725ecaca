import assert from "node:assert/strict";
import { test } from "node:test";
import { originForm, sameHostLocation, splitQuery, takeParameter } from "./request-target.ts";

test("whatever it is given, a location stays on the host", () => {
  const attacks = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "https://evil.example/",
    "HTTPS:evil.example",
    "javascript:alert(1)",
    "/\n/evil.example",
    " //evil.example",
    "\u00a0//evil.example",
    "/%2f/evil.example",
    "/.//evil.example",
    "?//evil.example",
    "#//evil.example",
    "@evil.example",
    "",
  ];
  for (const attack of attacks) {
    const location = sameHostLocation(attack);
    assert.match(location, /^\/(?![/\\])[\x21-\x7e]*$/, attack);
    const url = new URL(location, "http://preview.example/page");
    assert.equal(url.origin, "http://preview.example", attack);
  }
  assert.equal(sameHostLocation("/a/b?c=%20d#e"), "/a/b?c=%20d#e");
  assert.equal(sameHostLocation("/ä"), "/%C3%A4");
});

test("targets and queries are taken apart without changing what is left", () => {
  assert.equal(originForm("http://h:1/a?b"), "/a?b");
  assert.equal(originForm("http://h"), "/");
  assert.equal(originForm("//h/a"), "//h/a");
  assert.deepEqual(splitQuery("/a?b=1?2#c"), ["/a", "b=1?2"]);
  assert.deepEqual(takeParameter("a=%41&clew-visit=t&&b", "clew-visit"), { value: "t", rest: "a=%41&&b" });
  assert.deepEqual(takeParameter("clew-visit=1&clew-visit=2", "clew-visit"), { value: "1", rest: "" });
  assert.equal(takeParameter("clew-visits=1", "clew-visit"), undefined);
});
