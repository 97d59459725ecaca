import assert from "node:assert/strict";
import { until } from "@clew/testing";
import { fetchPrice } from "./fetch-price.ts";
import { type LoadReport, prices, startLoad } from "./load.ts";
import { prepareShop } from "./shop.ts";

/**
 * Takes the manager away by kill -9 for `awayMs` while traffic flows, and brings it back.
 * Throws unless everything is then as it was before without anyone doing anything.
 */
export async function takeManagerAway(awayMs: number): Promise<LoadReport> {
  await using shop = await prepareShop();
  const first = await shop.clew("manager");
  await first.waitForLine("Clew is up", 30_000);
  const rest = await shop.clew("up", "--except", "manager");
  await rest.waitForLine("Clew is up", 60_000);
  await using intercept = await shop.intercept("--preview");
  const { key, previewUrl = "" } = intercept;
  const { host } = new URL(previewUrl);
  assert.equal(await fetchPrice(shop.gatewayPort, { host }), prices.developer);

  const load = startLoad({ port: shop.gatewayPort, key });
  load.expectKeyed("either");
  first.signal("SIGKILL");
  await first.exited;
  await new Promise((resolve) => setTimeout(resolve, awayMs));
  const second = await shop.clew("manager");
  await second.waitForLine("Clew is up", 30_000);

  const isBack = async (): Promise<boolean> =>
    (await fetchPrice(shop.gatewayPort, { key })) === prices.developer;
  await until(isBack, { timeoutMs: 20_000, what: "the intercept serves again" });
  load.expectKeyed("developer");
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const report = await load.stop();

  assert.equal(await fetchPrice(shop.gatewayPort, { host }), prices.developer, "the preview is as before");
  const listed = JSON.parse((await shop.run("list", "--json")).stdout);
  assert.deepEqual(
    listed.overrides.map(({ route, service, owner }: Record<string, string>) => [route, service, owner]),
    [["ann", "pricing", "ann"]],
  );
  assert.equal(listed.services.length, 5);
  return report;
}
