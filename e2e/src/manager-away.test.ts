import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { until } from "@clew/testing";
import { fetchPrice } from "./fetch-price.ts";
import { prices } from "./load.ts";
import { takeManagerAway } from "./manager-away.ts";
import { prepareShop } from "./shop.ts";

test("a manager killed for 20 s, longer than a lease, costs no request, and is missed by nobody when it is back", async () => {
  const report = await takeManagerAway(20_000);
  process.stdout.write(`manager away: ${JSON.stringify(report)}\n`);
  assert.deepEqual([report.failed, report.cut, report.wrongPlace], [0, 0, 0], report.faults.join("\n"));
  assert.ok(report.answered > 3_000, "the load ran");
});

test("a manager that comes back without its state gets the session and its override again", async () => {
  await using shop = await prepareShop();
  const first = await shop.clew("manager");
  await first.waitForLine("Clew is up", 30_000);
  const rest = await shop.clew("up", "--except", "manager");
  await rest.waitForLine("Clew is up", 60_000);
  await using intercept = await shop.intercept();
  first.signal("SIGKILL");
  await first.exited;
  await rm(join(dirname(shop.configFile), "state"), { recursive: true });
  const second = await shop.clew("manager");
  await second.waitForLine("Clew is up", 30_000);

  const isBack = async (): Promise<boolean> =>
    (await fetchPrice(shop.gatewayPort, { key: intercept.key })) === prices.developer;
  await until(isBack, { timeoutMs: 30_000, what: "the override is made again" });
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
});
