import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import type { Intercept } from "./installation.ts";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
let browser: Browser;
let intercept: Intercept;
before(async () => {
  shop = await startShop();
  intercept = await shop.intercept("--preview");
  browser = await chromium.launch({
    executablePath: process.env["CLEW_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
after(async () => {
  await browser?.close();
  await shop[Symbol.asyncDispose]();
});

async function open(url: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

const priceOf = (page: Page): Promise<string> => page.locator('tr[data-sku="yarn"] b').innerText();

/** CLEW_SCREENSHOTS=DIR keeps a picture of each page. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["CLEW_SCREENSHOTS"];
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
}

test("the preview shows the developer's price and the shop itself the live one, side by side", async () => {
  assert.ok(intercept.previewUrl);
  assert.match(intercept.previewUrl, /\/\/[a-z0-9-]{10,}\.preview\.localhost:\d+\/$/);
  const [previewed, live] = await Promise.all([open(intercept.previewUrl), open(shop.url)]);
  assert.deepEqual([await priceOf(previewed), await priceOf(live)], ["4.50", "9.00"]);
  await picture(previewed, "preview");
  await picture(live, "live");
});

test("WebSocket messages go the same way as the page that opened it", async () => {
  const [previewed, live] = await Promise.all([open(intercept.previewUrl ?? ""), open(shop.url)]);
  await previewed.waitForFunction("document.querySelector('#live').textContent === '4.50'");
  await live.waitForFunction("document.querySelector('#live').textContent === '9.00'");
});

test("a form post, its redirect and its cookie stay in the preview", async () => {
  const page = await open(intercept.previewUrl ?? "");
  await page.click('tr[data-sku="yarn"] button');
  await page.waitForSelector("#message:not(:empty)");
  assert.equal(page.url(), intercept.previewUrl);
  assert.match(await page.locator("#message").innerText(), /Bought yarn for 4\.50, receipt r-\d+/);
  await picture(page, "bought");
});

test("a preview that does not exist, and one that was removed, say so on a page", async () => {
  const address = (slug: string): string => `http://${slug}.preview.localhost:${shop.gatewayPort}/`;
  const unknown = await open(address("never-made"));
  assert.match(await unknown.locator("body").innerText(), /no preview/i);
  await picture(unknown, "unknown-preview");

  assert.equal((await shop.run("preview", "create", "--route", "ann", "--name", "demo")).code, 0);
  const page = await open(address("demo"));
  assert.equal(await priceOf(page), "4.50");
  assert.equal((await shop.run("preview", "remove", "demo")).code, 0);
  await page.waitForFunction("fetch('/').then(({ status }) => status === 404 || status === 410)");
  await page.reload();
  await picture(page, "removed-preview");
  assert.doesNotMatch(await page.locator("body").innerText(), /Labyrinth/);
});

test("when the developer's machine is lost, the next page says so and offers the live shop", async () => {
  const page = await open(intercept.previewUrl ?? "");
  assert.equal(await priceOf(page), "4.50");
  intercept.process.signal("SIGKILL");
  await intercept.process.exited;
  await page.waitForFunction(
    "fetch('/_preview/-/status', { headers: { accept: 'application/json' } }).then((got) => got.json()).then(({ state }) => state === 'away')",
  );
  await page.reload();
  await picture(page, "machine-away");
  assert.match(await page.locator("h1").innerText(), /machine is away/);
  await page.getByRole("link", { name: "Show the live version" }).click();
  assert.equal(await priceOf(page), "9.00");
});
