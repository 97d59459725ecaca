import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { until } from "@clew/testing";
import type { Browser } from "playwright-core";
import { type Site, startSite } from "./site/start-site.ts";
import { launchBrowser, startVisitor, type Visitor } from "./visitor.ts";

const password = "correct horse battery";
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

/** What `clew preview create` gives out. */
async function create(...flags: string[]): Promise<{ slug: string; url: string; visitUrl: string }> {
  const made = await site.run("preview", "create", "--json", ...flags);
  assert.equal(made.code, 0, made.stderr);
  return JSON.parse(made.stdout);
}

/** The headers that reached the site, asked for by a script of the page. */
function headersSeen({ page }: Visitor): Promise<Record<string, string>> {
  return page.evaluate("fetch('/api/seen').then((got) => got.json()).then((got) => got.headers)");
}

const statusOfFront = "fetch('/').then(({ status }) => status)";

test("one command, one click: the first line that create prints opens the page", async () => {
  const made = await site.run("preview", "create");
  const [url = ""] = made.stdout.split("\n");
  await using visitor = await startVisitor(browser);
  assert.equal((await visitor.open(url)).status(), 200);
  assert.equal(await visitor.text("h1"), "The changed site");
});

test("an intercept's preview opens by the address that it prints", async () => {
  await using other = await site.intercept("--preview", "--route", "other");
  await using visitor = await startVisitor(browser);
  await visitor.open(other.visitUrl ?? "");
  assert.equal(await visitor.text("h1"), "The changed site");
});

test("by a link: its secret leaves the address bar, is known to no script and no service, and opens nothing for others", async () => {
  const { url, visitUrl } = await create(
    "--access",
    "link",
    "--field",
    "tenant_id=acme",
    "--header",
    "x-beta=1",
  );
  await using visitor = await startVisitor(browser);
  await visitor.open(visitUrl);
  assert.equal(visitor.page.url(), url);
  assert.equal(await visitor.text("h1"), "The changed site");
  assert.equal(await visitor.page.evaluate("document.cookie"), "");
  const { cookie = "", referer = "", baggage, "x-beta": beta } = await headersSeen(visitor);
  assert.doesNotMatch(cookie + referer, /clew-visit/);
  assert.deepEqual([baggage, beta], ["clew-route=ann,tenant_id=acme", "1"]);
  const cookies = await visitor.page.context().cookies();
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite, domain }) => [name, httpOnly, sameSite, domain]),
    [["clew-visit", true, "Lax", new URL(url).hostname]],
  );
  await visitor.page.reload();
  assert.equal(await visitor.text("h1"), "The changed site");

  await using stranger = await startVisitor(browser);
  assert.equal((await stranger.open(url)).status(), 403);
  await stranger.picture("page-link-needed");
  assert.match(await stranger.text("h1"), /whole link/);
  assert.equal(
    (await stranger.open(visitUrl.replace(/.$/, (last) => (last === "A" ? "B" : "A")))).status(),
    403,
  );
});

test("made again the preview keeps its link and its visitors; a new link turns out who came by the one before", async () => {
  const first = await create("--access", "link", "--name", "anew");
  await using visitor = await startVisitor(browser);
  await visitor.open(first.visitUrl);
  const again = await create("--name", "anew", "--access", "link");
  assert.equal(again.visitUrl, first.visitUrl);
  assert.equal((await visitor.open(first.url)).status(), 200);
  const renewed = await create("--name", "anew", "--new-link");
  await until(async () => (await visitor.open(first.url)).status() === 403, { what: "the gateway knows" });
  assert.equal((await visitor.open(first.visitUrl)).status(), 403);
  assert.equal((await visitor.open(renewed.visitUrl)).status(), 200);
});

test("by a password, typed without a mouse; a wrong one is said, and the way back leads to where one wanted to go", async () => {
  const file = `${site.configFile}.password`;
  await writeFile(file, `${password}\n`);
  const { url } = await create("--password-file", file);
  await using visitor = await startVisitor(browser);
  const wanted = new URL("/moved?from=mail", url).href;
  assert.equal((await visitor.open(wanted)).status(), 403);
  await visitor.picture("page-password");
  const { keyboard } = visitor.page;
  await visitor.page.locator("input[type=password]:focus").waitFor();
  await keyboard.type("wrong horse battery");
  await keyboard.press("Enter");
  await visitor.page.getByText(/wrong|not right|not the password/i).waitFor();
  await visitor.picture("page-password-wrong");
  await keyboard.type(password);
  await keyboard.press("Enter");
  await visitor.reads("h1", "Moved, changed");
  assert.equal(visitor.page.url(), wanted);
});

test("a visitor is counted, and turned away alone; the cookie of one preview is worth nothing for another", async () => {
  const { url, visitUrl, slug } = await create("--access", "link", "--name", "counted");
  await using one = await startVisitor(browser);
  await using two = await startVisitor(browser);
  await one.open(visitUrl);
  await one.open(new URL("/moved", url).href);
  await two.open(visitUrl);
  const shown = await until(
    async () => {
      const { visitors } = JSON.parse((await site.run("preview", "show", slug, "--json")).stdout);
      const visits = visitors.map(({ visits: count }: { visits: number }) => count).toSorted();
      return visits.join() === "1,2" ? visitors : undefined;
    },
    { what: "both visitors are known", timeoutMs: 20_000 },
  );
  const first = shown.find(({ visits }: { visits: number }) => visits === 2);
  assert.equal(first.path, "/moved");
  assert.match(first.userAgent, /Chrome/);
  const revoked = await site.run("preview", "visitors", "revoke", slug, first.visitor);
  assert.equal(revoked.code, 0, revoked.stderr);
  await until(async () => (await one.page.evaluate(statusOfFront)) === 403, { what: "the gateway knows" });
  await one.page.reload();
  await one.picture("page-visitor-revoked");
  assert.match(await one.text("h1"), /no longer visit/);
  await two.page.reload();
  assert.equal(await two.text("h1"), "The changed site");

  const other = await create("--access", "link", "--name", "another");
  const [cookie] = await two.page.context().cookies();
  assert.ok(cookie);
  await two.page.context().addCookies([{ ...cookie, domain: new URL(other.url).hostname }]);
  assert.equal((await two.open(other.url)).status(), 403);
});

test("ended previews say how they ended; one that never was says so too", async () => {
  await using visitor = await startVisitor(browser);
  const short = await create("--expires", "2s");
  const cut = await create("--name", "cut");
  await visitor.open(cut.url);
  assert.equal((await site.run("preview", "revoke", "cut")).code, 0);
  await until(async () => (await visitor.page.evaluate(statusOfFront)) === 410, {
    what: "the gateway knows",
  });
  await visitor.page.reload();
  await visitor.picture("page-revoked");
  assert.match(await visitor.text("h1"), /closed/);
  const expired = await until(
    async () => {
      const answer = await visitor.open(short.url);
      return answer.status() === 410 ? answer : undefined;
    },
    { what: "the preview has expired", timeoutMs: 20_000 },
  );
  assert.equal(expired.headers()["clew-error"], "E_PREVIEW_EXPIRED");
  await visitor.picture("page-expired");
  const unknown = await visitor.open(short.url.replace(short.slug, "never-made"));
  assert.equal(unknown.status(), 404);
  await visitor.picture("page-unknown");
});

test("the machine is away: pages say so and come back by themselves, requests of scripts get the live answer meanwhile", async () => {
  const lost = await site.intercept("--preview", "--route", "lost", "--preview-name", "lost");
  await using visitor = await startVisitor(browser);
  await visitor.open(lost.visitUrl ?? "");
  assert.equal(await visitor.text("h1"), "The changed site");
  lost.process.signal("SIGKILL");
  await lost.process.exited;
  const edition = "fetch('/api/seen').then((got) => got.json()).then((got) => got.edition)";
  const state =
    "fetch('/_preview/-/status', { headers: { accept: 'application/json' } }).then((got) => got.json()).then((got) => got.state)";
  await until(async () => (await visitor.page.evaluate(state)) === "away", { what: "the gateway knows" });
  assert.equal(await visitor.page.evaluate(edition), "live");
  await visitor.page.reload();
  await visitor.picture("page-away");
  assert.match(await visitor.text("h1"), /ann’s machine is away/);

  await using again = await site.intercept("--route", "lost", "--takeover");
  assert.ok(again.key);
  await visitor.reads("h1", "The changed site");
});

test("all is started anew: the link still opens the preview, who was in is in, who was out is out, and visits are remembered", async () => {
  const { url, visitUrl, slug } = await create("--access", "link", "--name", "lasting");
  await using one = await startVisitor(browser);
  await using two = await startVisitor(browser);
  await using later = await startVisitor(browser);
  await one.open(visitUrl);
  const shown = async (): Promise<Array<{ visitor: string; revoked: boolean }>> =>
    JSON.parse((await site.run("preview", "show", slug, "--json")).stdout).visitors;
  const [first] = await until(async () => ((await shown()).length === 1 ? shown() : undefined), {
    what: "the first visit is known",
    timeoutMs: 20_000,
  });
  assert.equal((await site.run("preview", "visitors", "revoke", slug, first?.visitor ?? "")).code, 0);
  await two.open(visitUrl);
  await until(async () => (await shown()).length === 2, { what: "the second is, too", timeoutMs: 20_000 });
  await site.restart();

  assert.deepEqual(
    (await shown()).map(({ visitor, revoked }) => [visitor === first?.visitor, revoked]).toSorted(),
    [
      [false, false],
      [true, true],
    ],
  );
  assert.equal((await one.open(url)).status(), 403);
  await until(async () => (await two.open(url)).status() === 200, {
    what: "the intercept is back, and the second visitor still in",
    timeoutMs: 20_000,
  });
  assert.equal(await two.text("h1"), "The changed site");
  assert.equal((await later.open(visitUrl)).status(), 200);
});
