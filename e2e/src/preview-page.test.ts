import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import type { Intercept } from "./installation.ts";
import { assertWorks } from "./site/assert-works.ts";
import { type Site, startSite } from "./site/start-site.ts";
import { launchBrowser, startVisitor, type Visitor } from "./visitor.ts";

let site: Site;
let browser: Browser;
let intercept: Intercept;
before(async () => {
  site = await startSite();
  intercept = await site.intercept("--preview", "--preview-name", "new-colours");
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

const bars = ({ page }: Visitor): Promise<number> => page.locator("clew-preview-bar").count();

test("live and preview side by side: scripts, styles, images, fetch, upload, ranges, WebSocket and events, under a strict policy", async () => {
  await using live = await startVisitor(browser);
  await using previewed = await startVisitor(browser);
  await Promise.all([live.open(site.url), previewed.open(intercept.visitUrl ?? "")]);
  await Promise.all([assertWorks(live, "live"), assertWorks(previewed, "changed")]);
  assert.deepEqual([await bars(live), await bars(previewed)], [0, 1]);
  await live.picture("site-live");
  await previewed.picture("site-preview");
});

test("a login by form post, its redirect and its cookie stay in the preview, and are not there live", async () => {
  await using visitor = await startVisitor(browser);
  await visitor.open(intercept.visitUrl ?? "");
  await visitor.page.locator("input[name=name]").fill("Ariadne");
  await visitor.page.getByRole("button", { name: "Log in" }).click();
  await visitor.reads("#customer", "Ariadne");
  assert.equal(visitor.page.url(), intercept.previewUrl);
  await assertWorks(visitor, "changed");
  await visitor.open(site.url);
  assert.equal(await visitor.text("#customer"), "nobody");
});

test("a redirect to the whole address leads on within the preview", async () => {
  await using visitor = await startVisitor(browser);
  await visitor.open(intercept.visitUrl ?? "");
  await visitor.page.locator("#old").click();
  await visitor.reads("h1", "Moved, changed");
  assert.equal(visitor.page.url(), new URL("/moved", intercept.previewUrl).href);
});

test("a page that comes packed has the bar and works", async () => {
  await using visitor = await startVisitor(browser);
  await visitor.open(new URL("/packed", intercept.previewUrl).href);
  await assertWorks(visitor, "changed");
  assert.equal(await bars(visitor), 1);
});

test("the bar says what one looks at, opens and closes by keyboard, and moves nothing", async () => {
  await using visitor = await startVisitor(browser);
  await using live = await startVisitor(browser);
  await Promise.all([visitor.open(intercept.visitUrl ?? ""), live.open(site.url)]);
  await Promise.all([assertWorks(visitor, "changed"), assertWorks(live, "live")]);
  const top = "document.querySelector('main').getBoundingClientRect().top";
  assert.equal(await visitor.page.evaluate(top), await live.page.evaluate(top));
  const bar = visitor.page.locator("clew-preview-bar");
  assert.match((await bar.locator("summary").innerText()) ?? "", /Preview new-colours/);
  const frame = visitor.page.frameLocator("clew-preview-bar iframe");
  await frame.getByText("machine connected").waitFor();
  const isOpen = (): Promise<boolean> =>
    bar.locator("details").evaluate((details) => details.hasAttribute("open"));
  const before = await isOpen();
  await bar.locator("summary").press("Enter");
  assert.equal(await isOpen(), !before);
  await bar.locator("summary").press("Space");
  assert.equal(await isOpen(), before);
  const card = (await bar.locator(".card").textContent()) ?? "";
  for (const fact of [/ann/, /site from ann’s machine/, /hours/]) assert.match(card, fact);
});

test("in the dark and on a telephone the bar and the pages can be read", async () => {
  const telephone = {
    viewport: { width: 360, height: 640 },
    colorScheme: "dark",
    deviceScaleFactor: 2,
  } as const;
  await using visitor = await startVisitor(browser, telephone);
  await visitor.open(intercept.visitUrl ?? "");
  await visitor.page.frameLocator("clew-preview-bar iframe").getByText("machine connected").waitFor();
  await visitor.picture("telephone-arrival");
  const box = await visitor.page.locator("clew-preview-bar").boundingBox();
  assert.ok(box && box.x >= 0 && box.x + box.width <= 360, "it stays within the screen");
  await visitor.open(new URL("/moved", intercept.previewUrl).href);
  await visitor.picture("telephone-page");
  const { stdout } = await site.run("preview", "create", "--access", "link", "--json");
  await visitor.open(JSON.parse(stdout).url);
  await visitor.picture("telephone-link-needed");
  assert.match(await visitor.text("h1"), /whole link/);
});

test("--no-banner leaves the bar out, and the page just as it was", async () => {
  const { stdout } = await site.run("preview", "create", "--no-banner", "--json");
  const { visitUrl } = JSON.parse(stdout);
  await using visitor = await startVisitor(browser);
  const answer = await visitor.open(visitUrl);
  assert.equal(await bars(visitor), 0);
  const live = await fetch(site.url);
  assert.equal((await answer.text()).replaceAll("changed", "live"), await live.text());
  assert.equal(answer.headers()["content-security-policy"], live.headers.get("content-security-policy"));
});
