import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { assertWorks } from "./site/assert-works.ts";
import { type Site, startSite } from "./site/start-site.ts";
import { launchBrowser, startVisitor } from "./visitor.ts";

let site: Site;
let browser: Browser;
before(async () => {
  site = await startSite({
    gateway:
      ', previewUrl: "http://127.0.0.1:PORT/_preview/{slug}", ingresses: { back: { service: office } }',
  });
  await site.intercept();
  browser = await launchBrowser();
});
after(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});

async function create(
  ...flags: string[]
): Promise<{ slug: string; url: string; visitUrl: string; access: string }> {
  const made = await site.run("preview", "create", "--json", ...flags);
  assert.equal(made.code, 0, made.stderr);
  return JSON.parse(made.stdout);
}

test("without names for previews the link leads to the front page, where all works; leaving it leads to the live site", async () => {
  const { url, visitUrl, slug } = await create("--access", "link");
  assert.equal(url, `${site.url}_preview/${slug}`);
  await using visitor = await startVisitor(browser);
  await using other = await startVisitor(browser);
  await Promise.all([visitor.open(visitUrl), other.open(site.url)]);
  assert.equal(visitor.page.url(), site.url);
  await Promise.all([assertWorks(visitor, "changed"), assertWorks(other, "live")]);
  await visitor.page.locator("#old").click();
  await visitor.reads("h1", "Moved, changed");
  await visitor.picture("path-preview");

  const bar = visitor.page.locator("clew-preview-bar");
  if (!(await bar.locator("details").evaluate((details) => details.hasAttribute("open")))) {
    await bar.locator("summary").press("Enter");
  }
  await bar.getByRole("link", { name: "Leave this preview" }).click();
  await visitor.reads("h1", "The live site");
  assert.equal(await bar.count(), 0);
  assert.equal((await other.open(url)).status(), 403);
});

test("by a password, too, and to the page that was meant", async () => {
  const file = `${site.configFile}.password`;
  await writeFile(file, "correct horse battery\n");
  const { url } = await create("--password-file", file);
  await using visitor = await startVisitor(browser);
  assert.equal((await visitor.open(`${url}?return=/moved`)).status(), 403);
  await visitor.page.locator("input[type=password]").fill("correct horse battery");
  await visitor.page.keyboard.press("Enter");
  await visitor.reads("h1", "Moved, changed");
  assert.equal(visitor.page.url(), `${site.url}moved`);
});

test("a preview that is ended turns its visitor to a page, from which the live site is one click away", async () => {
  const { url, slug } = await create();
  await using visitor = await startVisitor(browser);
  await visitor.open(url);
  assert.equal(await visitor.text("h1"), "The changed site");
  assert.equal((await site.run("preview", "revoke", slug)).code, 0);
  await visitor.page.waitForFunction(() => fetch("/moved").then(({ status }) => status === 410));
  await visitor.page.reload();
  assert.match(await visitor.text("h1"), /closed/);
  await visitor.picture("path-closed");
  await visitor.page.getByRole("link", { name: "Go to the live version" }).click();
  await visitor.reads("h1", "The live site");
});

test("a preview by another way in shows what that leads to; one that the gateway does not have is refused", async () => {
  const { visitUrl } = await create("--ingress", "back");
  await using visitor = await startVisitor(browser);
  await visitor.open(visitUrl);
  assert.equal(await visitor.text("h1"), "The office site");
  const refused = await site.run("preview", "create", "--ingress", "side");
  assert.equal(refused.code, 64);
  assert.match(refused.stderr, /no ingress "side".*\[E_INGRESS_UNKNOWN\]\n +It has: back\./);
});
