import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { assertWorks } from "./site/assert-works.ts";
import { type Site, startSite } from "./site/start-site.ts";
import { launchBrowser, startVisitor } from "./visitor.ts";

let site: Site;
let browser: Browser;
before(async () => {
  site = await startSite();
  await site.intercept();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

/** The address that `clew browser` would open. */
async function browserUrl(route: string): Promise<string> {
  const running = await site.clew("browser", "--print", "--route", route);
  return running.waitForLine(/^http/, 20_000);
}

test("through clew browser a site works as ever, and a route that nobody is on is the live one", async () => {
  await using changed = await startVisitor(browser);
  await using live = await startVisitor(browser);
  await Promise.all([changed.open(await browserUrl("ann")), live.open(await browserUrl("nobody"))]);
  await Promise.all([assertWorks(changed, "changed"), assertWorks(live, "live")]);
});

test("a login and a redirect stay at the local address, and two routes have cookies of their own", async () => {
  const url = await browserUrl("ann");
  await using visitor = await startVisitor(browser);
  await visitor.open(url);
  await visitor.page.locator("input[name=name]").fill("Ariadne");
  await visitor.page.getByRole("button", { name: "Log in" }).click();
  await visitor.reads("#customer", "Ariadne");
  assert.equal(visitor.page.url(), url);
  await visitor.page.locator("#old").click();
  await visitor.reads("h1", "Moved, changed");
  assert.equal(visitor.page.url(), new URL("/moved", url).href);

  await visitor.open(await browserUrl("nobody"));
  assert.equal(await visitor.text("#customer"), "nobody");
  await visitor.open(url);
  assert.equal(await visitor.text("#customer"), "Ariadne");
});
