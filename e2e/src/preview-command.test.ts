import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { until } from "@clew/testing";
import { fetchPrice } from "./fetch-price.ts";
import { prices } from "./load.ts";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop[Symbol.asyncDispose]());

/** The first word of each line but the title. */
const firstColumn = (text: string): string[] =>
  text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(" ")[0] ?? "");

test("a preview is made, listed, shown, extended and revoked; made again it changes what is said", async () => {
  const made = await shop.run("preview", "create", "--name", "spring", "--expires", "2h");
  assert.equal(made.code, 0, made.stderr);
  const [url, about] = made.stdout.split("\n");
  assert.equal(url, `http://spring.preview.localhost:${shop.gatewayPort}/`);
  assert.equal(about, "route ann, for 2 h, for everybody who opens it");
  const again = await shop.run(
    ...["preview", "create", "--name", "spring", "--access", "link", "--header", "x-beta=1", "--json"],
    ...["--field", "tenant_id=acme", "--field", "flags=[1]", "--no-banner"],
  );
  const preview = JSON.parse(again.stdout);
  assert.deepEqual(
    [preview.access, preview.headers, preview.fields, preview.banner],
    ["link", [["x-beta", "1"]], { tenant_id: "acme", flags: [1] }, false],
  );
  assert.equal(preview.visitUrl, `${url}?clew-visit=${preview.linkToken}`);
  assert.ok(preview.remainingMs > 86_000_000);

  assert.match((await shop.run("preview", "list")).stdout, /spring +ann +ann +link +24 h +http/);
  const shown = (await shop.run("preview", "show", "spring")).stdout;
  for (const line of [
    /access +link \(whole: clew preview show spring --link\)/,
    /carries +route ann\n +field tenant_id = "acme"\n +field flags = \[1\]\n +header x-beta: 1/,
    /bar +left out/,
    /replaces +nothing now/,
    /Nobody has visited it yet/,
  ]) {
    assert.match(shown, line);
  }
  assert.ok(!shown.includes(preview.linkToken));
  assert.equal((await shop.run("preview", "show", "spring", "--link")).stdout, `${preview.visitUrl}\n`);
  const extended = await shop.run("preview", "extend", "spring", "--expires", "7d");
  assert.match(extended.stdout, /spring works for 7 days/);
  const revoked = await shop.run("preview", "revoke", "spring");
  assert.match(revoked.stdout, /Revoked spring/);
  const twice = await shop.run("preview", "remove", "spring");
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /"spring" of ann was revoked.*\[E_PREVIEW_UNKNOWN\]/);
});

test("the name of somebody else's preview is refused, and says whose it is", async () => {
  assert.equal((await shop.run("preview", "create", "--name", "mine")).code, 0);
  const refused = await shop.run("preview", "create", "--name", "mine", "--owner", "bob");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /ann's, for route ann.*\[E_PREVIEW_TAKEN\]/);
});

test("a password comes from a file or from standard input, never from the command line, and wrong use ends with 64", async () => {
  const file = join(dirname(shop.configFile), "password.txt");
  await writeFile(file, "correct horse battery\n");
  const made = await shop.run("preview", "create", "--name", "locked", "--password-file", file);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /for whoever knows the password/);
  assert.ok(!made.stdout.includes("horse"));
  await writeFile(file, "short\n");
  for (const [code, ...args] of [
    ["E_PASSWORD", "--password-file", file],
    ["E_PASSWORD", "--password-file", `${file}.none`],
    ["E_USAGE", "--access", "password"],
    ["E_USAGE", "--access", "link", "--password-file", file],
    ["E_USAGE", "--access", "public", "--new-link"],
    ["E_USAGE", "--header", "nothing"],
    ["E_USAGE", "--field", "nothing"],
    ["E_PREVIEW_HEADER", "--header", "cookie=a"],
    ["E_PREVIEW_FIELD", "--field", "clew-route=red"],
    ["E_PREVIEW_NAME", "--name", "a.b"],
  ]) {
    const refused = await shop.run("preview", "create", ...args);
    assert.equal(refused.code, 64, args.join(" "));
    assert.match(refused.stderr, new RegExp(`\\[${code}\\]`), args.join(" "));
  }
});

test("an intercept's preview has the access that was asked for, and is shown with who is there", async () => {
  await using intercept = await shop.intercept("--preview-access", "link", "--preview-name", "shown");
  const line = intercept.process.stdout.split("\n").find((text) => text.includes('"event":"intercept"'));
  const { preview } = JSON.parse(line ?? "");
  assert.equal(preview.access, "link");
  assert.match(preview.visitUrl, /^http:\/\/shown\.preview\.localhost:\d+\/\?clew-visit=[\w-]{43}$/);
  const shown = await shop.run("preview", "show", "shown");
  assert.match(shown.stdout, /replaces +pricing, by ann's machine \(connected\)/);
  intercept.process.signal("SIGINT");
  await intercept.process.exited;
  assert.match((await shop.run("preview", "show", "shown")).stdout, /replaces +nothing now/);
});

test("visitors that were not there cannot be revoked", async () => {
  assert.equal((await shop.run("preview", "create", "--name", "empty")).code, 0);
  const refused = await shop.run("preview", "visitors", "revoke", "empty", "nobody");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /had no visitor nobody.*\[E_VISITOR_UNKNOWN\]/);
  assert.deepEqual(firstColumn((await shop.run("preview", "list", "--route", "none")).stdout), []);
});

test("clew browser opens a local address whose requests carry the route, until Ctrl-C", async () => {
  await using intercept = await shop.intercept();
  const opened = `${shop.configFile}.opened`;
  const script = `${shop.configFile}.browser.cjs`;
  await writeFile(script, `require("fs").writeFileSync(${JSON.stringify(opened)}, process.argv[2])`);
  const browser = await shop.clewWith({ BROWSER: `${process.execPath} ${script}` }, "browser", "--json");
  const { url, route, target } = JSON.parse(await browser.waitForLine('"event":"browser"', 20_000));
  assert.deepEqual([route, target], [intercept.key, `${shop.url}/`]);
  await until(async () => (await readFile(opened, "utf8")) === url, { what: "the browser was opened on it" });
  const { port, host } = new URL(url);
  assert.equal(await fetchPrice(Number(port), { host }), prices.developer);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  browser.signal("SIGINT");
  assert.equal((await browser.exited).code, 0);
  await assert.rejects(fetchPrice(Number(port), { host }));
});

test("clew browser --print opens nothing; what cannot be opened is wrong use", async () => {
  const never = `${shop.configFile}.never`;
  const browser = await shop.clewWith(
    { BROWSER: `touch ${never}` },
    ...["browser", "--print", "--route", "demo", `${shop.url}/api/quotes/yarn`],
  );
  const url = await browser.waitForLine(/^http:\/\/demo\.localhost:\d+\/api\/quotes\/yarn$/, 20_000);
  const { port, host } = new URL(url);
  assert.equal(await fetchPrice(Number(port), { host }), prices.live);
  await browser.stop();
  assert.ok(!existsSync(never));
  const refused = await shop.run("browser", "ftp://127.0.0.1/");
  assert.equal(refused.code, 64);
});
