import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fetchPrice } from "./fetch-price.ts";
import type { Intercept } from "./installation.ts";
import { prices } from "./load.ts";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
let intercept: Intercept;
before(async () => {
  shop = await startShop({ routingKeys: "signed" });
  intercept = await shop.intercept("--preview");
});
after(() => shop[Symbol.asyncDispose]());

const quotes = (): string => `${shop.url}/api/quotes/yarn`;

test("the signed key gets the developer's price; the plain route, a key moved to it, a forged one and none get the live one", async () => {
  const { key } = intercept;
  assert.match(key, /^ann\.\d+\.[a-z2-7]{8}\.[A-Za-z0-9_-]{86}$/);
  assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.developer);
  const [, ...proof] = (await askKey("ben")).split(".");
  const forged = key.replace(/[^.]+$/, (signature) => signature.split("").toReversed().join(""));
  for (const other of ["ann", ["ann", ...proof].join("."), forged]) {
    assert.equal(await fetchPrice(shop.gatewayPort, { key: other }), prices.live, other);
  }
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
});

/** A preview's key is one of its route. */
async function askKey(route: string): Promise<string> {
  const { stdout } = await shop.run("preview", "create", "--route", route, "--owner", route, "--json");
  return JSON.parse(stdout).key;
}

test("past the gateway a plain route is no key either", async () => {
  const { services } = JSON.parse((await shop.run("list", "--json")).stdout);
  const { address } = services.find(({ name }: { name: string }) => name === "pricing").ports.http;
  const priceWith = async (key: string): Promise<number> => {
    const answer = await fetch(`http://${address}/prices/yarn`, {
      headers: { baggage: `clew-route=${key}` },
    });
    return (await answer.json()).cents;
  };
  assert.deepEqual([await priceWith("ann"), await priceWith(intercept.key)], [prices.live, prices.developer]);
});

test("the preview's visitors get the developer's price without any key of their own", async () => {
  const { host } = new URL(intercept.previewUrl ?? "");
  assert.equal(await fetchPrice(shop.gatewayPort, { host }), prices.developer);
});

test("the intercept says until when its key is good, in the announcement and as JSON", async () => {
  await using other = await shop.interceptOther("catalogue", "--route", "demo");
  const line = other.process.stdout.split("\n").find((text) => text.includes('"event":"intercept"'));
  const { keyExpiresAt, key, curl } = JSON.parse(line ?? "");
  assert.equal(keyExpiresAt, Number(key.split(".")[1]) * 1_000);
  assert.ok(curl.includes(`'baggage: clew-route=${key}'`));
  const shown = await shop.clew("intercept", "payments", "--port", "1", "--route", "shown");
  await shown.waitForLine("routing key  clew-route=shown.", 30_000);
  await shown.waitForLine("for 24 h", 30_000);
  await shown.stop();
});

test("curl and explain take a route by name and have the manager sign it; without a manager they say so", async () => {
  const answer = await shop.run("curl", "--route", "ann", quotes());
  assert.match(answer.stdout, /"cents":450/, answer.stderr);
  const explained = await shop.run("explain", "--route", "ann", quotes(), "--json");
  const { decisions } = JSON.parse(explained.stdout);
  assert.deepEqual(
    decisions.map(({ service, reason }: Record<string, string>) => `${service} ${reason}`),
    [
      "gateway route-elsewhere",
      "storefront route-elsewhere",
      "orders route-elsewhere",
      "pricing route",
      "catalogue route-elsewhere",
    ],
  );
  const unkeyed = await shop.run("explain", quotes());
  assert.match(unkeyed.stdout, /No agent reported this request[\s\S]*--route NAME/);
  for (const command of ["curl", "explain"]) {
    const away = await shop.run(command, "--route", "ann", "--manager", "http://127.0.0.1:1", quotes());
    assert.equal(away.code, 69);
    assert.match(away.stderr, /E_MANAGER_UNREACHABLE/);
  }
});

test("--print-config shows that keys are signed, and by whose word", async () => {
  const { stdout } = await shop.run("up", "--print-config");
  assert.match(stdout, /manager\.routingKeys +"signed" +file/);
});
