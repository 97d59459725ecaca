// @ts-check
// npm run conformance:sock-shop -- --app DIR [--quick] [--json]
// A shop that nobody here wrote, behind gateway and agents, live and previewed side by side in Chromium.
// DIR: github.com/microservices-demo/front-end with its dependencies (npm install --omit=dev --ignore-scripts).
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { finish, lineWriter, parseFlags, refuse } from "../scripts/command.mjs";
import { findNodes } from "../scripts/node-binaries.mjs";
import { createChecklist, launchBrowser, same, startVisitor } from "./previewed/browse.mjs";
import { startPreviewedApp } from "./previewed/start-app.mjs";

const command = "conformance:sock-shop";
const flags = parseFlags(command, { app: { type: "string" } });
const write = lineWriter(flags.json === true);
const folder = flags.app === undefined ? "" : resolve(String(flags.app));
if (!existsSync(join(folder, "api", "endpoints.js"))) {
  refuse(command, "--app DIR is needed, a checkout of github.com/microservices-demo/front-end");
}
if (!existsSync(join(folder, "node_modules", "express"))) {
  refuse(command, `its dependencies are missing: npm install --omit=dev --ignore-scripts, in ${folder}`);
}
/** The shop's own dependencies are of 2016: with a newer Node they end it at the first answer of 304. */
const [node] = findNodes([20]);
if (node === undefined) refuse(command, "Node 20 is needed, for the shop itself");
const backEnds = fileURLToPath(new URL("previewed/sock-shop-back-ends.mjs", import.meta.url));

const app = await startPreviewedApp({
  services: [
    {
      name: "front-end",
      cwd: folder,
      // It asks http://catalogue.DOMAIN, http://carts.DOMAIN and so on; here all of that is one address's user name.
      run: (agents) => `${node.file} server.js --domain=@${agents["back-ends"]}`,
    },
    { name: "back-ends", cwd: folder, run: () => `${process.execPath} ${backEnds}` },
  ],
  changed: { service: "back-ends", command: [process.execPath, backEnds, "--changed"] },
  previewFlags: ["--preview-name", "socks", "--preview-access", "link"],
});
const list = createChecklist(write);
const browser = await launchBrowser();
try {
  await visit("live", app.liveUrl, { product: "Holy socks", bars: 0 });
  await visit("preview", app.preview.visitUrl, { product: "Changed socks", bars: 1 });
} finally {
  await browser.close();
  await app.stop();
}
finish({ passed: list.faults.length === 0, checked: list.checked, faults: list.faults });

/**
 * @param {string} name
 * @param {string} url
 * @param {{ product: string, bars: number }} expected
 */
async function visit(name, url, { product, bars }) {
  const visitor = await startVisitor(browser, `sock-shop-${name}`);
  const { page } = visitor;
  const { check } = list;
  await check(`${name}: the front page opens by its one address`, async () => {
    await page.goto(url, { waitUntil: "networkidle" });
    await visitor.picture("front");
    return page.url() === new URL("/", url).href || page.url();
  });
  await check(`${name}: the catalogue names its socks`, async () => {
    await page.goto(new URL("/category.html", url).href, { waitUntil: "networkidle" });
    return same(await page.locator("#products h3").first().innerText(), product);
  });
  await check(`${name}: their images are shown`, async () => {
    const widths = await page
      .locator("#products .front img")
      .evaluateAll((images) =>
        images.map((image) => (image instanceof HTMLImageElement ? image.naturalWidth > 0 : false)),
      );
    return same(widths, [true, true]);
  });
  await check(`${name}: one bar in the page, and none in the fragments that it loads`, async () => {
    await visitor.picture("catalogue");
    return same(await visitor.bars(), bars);
  });
  await check(`${name}: what is put into the cart is in it`, async () => {
    await page.locator("#products a.btn-primary").first().click();
    await page.waitForFunction(() =>
      document.querySelector("#numItemsInCart")?.textContent?.startsWith("1 "),
    );
    return true;
  });
  await check(`${name}: the basket shows it`, async () => {
    await page.goto(new URL("/basket.html", url).href, { waitUntil: "networkidle" });
    await visitor.picture("basket");
    return same(await page.locator("#cart-list tr").first().locator("a").nth(1).innerText(), product);
  });
  await check(`${name}: a customer logs in, and is known afterwards`, async () => {
    await page.goto(new URL("/index.html", url).href, { waitUntil: "networkidle" });
    await page.locator("#login a").click();
    await page.locator("#username-modal").fill("Eve_Berger");
    await page.locator("#password-modal").fill("eve");
    await page.locator("#login-modal button.btn-primary").click();
    await page.locator("#howdy a").waitFor();
    await visitor.picture("logged-in");
    return same(await page.locator("#howdy a").innerText(), "Logged in as Eve Berger");
  });
  await check(`${name}: what was in the cart before the login still is`, async () => {
    await page.waitForFunction(() =>
      document.querySelector("#numItemsInCart")?.textContent?.startsWith("1 "),
    );
    return true;
  });
  await check(`${name}: no policy refused anything`, async () => same(visitor.violations, []));
  await check(`${name}: no script failed`, async () => same(visitor.errors.filter(isScriptError), []));
  await visitor.close();
}

/** A checkout may lack a large picture: that is no error of a script. @param {string} text */
function isScriptError(text) {
  return !/Failed to load resource/.test(text);
}
