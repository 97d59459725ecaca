import assert from "node:assert/strict";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { until } from "@clew/testing";
import { prepareShop } from "./shop.ts";

test("without a terminal SIGHUP has the gateway open its access log anew, and everything runs on", async () => {
  await using shop = await prepareShop();
  const log = join(dirname(shop.configFile), "access.log");
  const text = await readFile(shop.configFile, "utf8");
  await writeFile(
    shop.configFile,
    text.replace("ingress: storefront", "ingress: storefront, accessLog: access.log"),
  );
  const up = await shop.clew("up");
  await up.waitForLine("Clew is up", 60_000);
  const pathsIn = async (file: string): Promise<string[]> =>
    (await readFile(file, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line).path);
  assert.equal((await fetch(`${shop.url}/before`)).status, 404);
  await until(async () => (await pathsIn(log)).includes("/before"));
  await rename(log, `${log}.1`);
  up.signal("SIGHUP");
  await until(async () => {
    await fetch(`${shop.url}/after`);
    return (await pathsIn(log)).includes("/after");
  });
  assert.ok(!(await pathsIn(log)).includes("/before"));
  up.signal("SIGINT");
  assert.equal((await up.exited).code, 0, up.stderr);
});
