import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "@clew/testing";
import { serviceName } from "./service-name.ts";

test("CLEW_SERVICE goes before OTEL_SERVICE_NAME, and an empty one does not count", () => {
  assert.equal(serviceName({ CLEW_SERVICE: "orders", OTEL_SERVICE_NAME: "other" }), "orders");
  assert.equal(serviceName({ CLEW_SERVICE: " ", OTEL_SERVICE_NAME: "other" }), "other");
});

test("else it is the nearest package.json's name, past those without one, through links, and `unknown` at last", async () => {
  await using directory = await temporaryDirectory();
  const at = (path: string): string => join(directory.path, path);
  await mkdir(at("app/dist"), { recursive: true });
  await writeFile(at("app/package.json"), JSON.stringify({ name: "shop-orders" }));
  await writeFile(at("app/dist/package.json"), JSON.stringify({ type: "module" }));
  await writeFile(at("app/dist/main.js"), "");
  await symlink(at("app/dist/main.js"), at("linked"));
  assert.equal(serviceName({}, at("app/dist/main.js")), "shop-orders");
  assert.equal(serviceName({}, at("linked")), "shop-orders");
  assert.equal(serviceName({}, at("none.js")), "unknown");
});
