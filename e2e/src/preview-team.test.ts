import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "@clew/testing";
import type { Browser } from "playwright-core";
import { type Shop, startShop } from "./shop.ts";
import { launchBrowser, startVisitor } from "./visitor.ts";

let shop: Shop;
let browser: Browser;
before(async () => {
  shop = await startShop({ routingKeys: "signed" });
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.[Symbol.asyncDispose]();
});

test("one preview shows what two people changed, names both, and says who of them is away", async () => {
  await using pricing = await shop.intercept("--route", "spring", "--owner", "ann");
  await using storefront = await shop.interceptOther("storefront", "--route", "spring", "--owner", "bob");
  const made = await shop.run(
    "preview",
    "create",
    "--route",
    "spring",
    "--name",
    "spring",
    "--access",
    "link",
  );
  assert.equal(made.code, 0, made.stderr);
  const [url = ""] = made.stdout.split("\n");
  await using visitor = await startVisitor(browser);
  await visitor.open(url);
  assert.equal(await visitor.text('tr[data-sku="yarn"] b'), "4.50");
  const card = async (): Promise<string> =>
    (await visitor.page.locator("clew-preview-bar .card").textContent()) ?? "";
  assert.match(await card(), /pricing from ann’s machine/);
  assert.match(await card(), /storefront from bob’s machine/);
  await visitor.picture("team-preview");

  pricing.process.signal("SIGKILL");
  await pricing.process.exited;
  const replaced = async (): Promise<string> => (await shop.run("preview", "show", "spring")).stdout;
  await until(async () => /pricing, by ann's machine \(away/.test(await replaced()), {
    what: "ann's machine is known to be away",
    timeoutMs: 20_000,
  });
  assert.match(await replaced(), /storefront, by bob's machine \(connected\)/);
  await visitor.page.reload();
  assert.match(await visitor.text("h1"), /ann’s machine is away/);
  await visitor.page.getByRole("link", { name: "Show the live version" }).click();
  assert.equal(await visitor.text('tr[data-sku="yarn"] b'), "9.00");
  assert.match(await card(), /pricing from ann’s machine, away/);
  await visitor.picture("team-one-away");
  storefront.process.signal("SIGINT");
  await storefront.process.exited;
  await until(async () => !(await replaced()).includes("storefront"), {
    what: "bob has ended his on purpose",
  });
});
