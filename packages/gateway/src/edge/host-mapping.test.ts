import assert from "node:assert/strict";
import { test } from "node:test";
import type { RequestHead } from "@clew/proxy";
import { type HostMapping, mapAnswer, mapRequest } from "./host-mapping.ts";

const mapping: HostMapping = {
  visitorOrigin: "https://demo.preview.example",
  ingressHosts: ["shop.example", "10.0.0.1:8101"],
};

function mapped(name: string, value: string): string {
  const { set } = mapAnswer({ status: 200, fellBack: false, rawHeaders: [name, value] }, mapping);
  return set[0]?.[1] ?? value;
}

test("an address of the original host becomes the visitor's, and no other does", () => {
  const locations = {
    "https://shop.example/a?b#c": "https://demo.preview.example/a?b#c",
    "http://SHOP.example:80": "https://demo.preview.example",
    "https://shop.example:443/": "https://demo.preview.example/",
    "//shop.example/a": "https://demo.preview.example/a",
    "http://10.0.0.1:8101/": "https://demo.preview.example/",
    "https://shop.example:8443/": "https://shop.example:8443/",
    "https://shop.example.evil.example/": "https://shop.example.evil.example/",
    "https://shop.example@evil.example/": "https://shop.example@evil.example/",
    "https://login.example/?to=https://shop.example/": "https://login.example/?to=https://shop.example/",
    "/a": "/a",
    "a//shop.example": "a//shop.example",
  };
  for (const [before, after] of Object.entries(locations)) assert.equal(mapped("Location", before), after);
  assert.equal(
    mapped("Refresh", "0; URL='https://shop.example/a'"),
    "0; URL='https://demo.preview.example/a'",
  );
  assert.equal(mapped("Refresh", "5"), "5");
  assert.equal(mapped("Access-Control-Allow-Origin", "https://shop.example"), "https://demo.preview.example");
  assert.equal(mapped("Access-Control-Allow-Origin", "*"), "*");
});

test("the ingress is asked for its own host, and sees its own origin in place of the visitor's", () => {
  const asked: Readonly<Record<string, string>> = {
    origin: "https://demo.preview.example",
    referer: "https://demo.preview.example/a?b",
  };
  const head = { header: (name: string) => asked[name] } as RequestHead;
  assert.deepEqual(mapRequest(head, mapping).set, [
    ["host", "shop.example"],
    ["origin", "https://shop.example"],
    ["referer", "https://shop.example/a?b"],
  ]);
  const foreign = { header: () => "https://demo.preview.example.evil.example/" } as unknown as RequestHead;
  assert.deepEqual(mapRequest(foreign, mapping).set, [["host", "shop.example"]]);
});
