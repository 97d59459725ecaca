import assert from "node:assert/strict";
import { test } from "node:test";
import { fetchPrice } from "../fetch-price.ts";
import { prices } from "../load.ts";
import { startShop } from "../shop.ts";

test(`the shop, an intercept and its end, on Node ${process.version}`, async () => {
  await using shop = await startShop();
  await using intercept = await shop.intercept();
  const { key } = intercept;
  assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.developer);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  intercept.process.signal("SIGINT");
  await intercept.process.exited;
  assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.live);
});
