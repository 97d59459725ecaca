// @ts-check
// npm run conformance:strict-csp -- --app DIR [--quick] [--json]
// An application that nobody here wrote and that lets its pages do little (Content-Security-Policy: default-src 'none',
// script-src 'self'), live and previewed side by side in Chromium: nothing of it may be refused because of the bar.
// DIR: a folder with thelounge@4.5.2 in node_modules. It names a fork by its Git address; where only a registry can be
// reached, package.json's overrides may name irc-framework 4.14.0 instead (npm install --omit=optional --ignore-scripts).
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { finish, lineWriter, parseFlags, refuse } from "../scripts/command.mjs";
import { createChecklist, launchBrowser, same, startVisitor } from "./previewed/browse.mjs";
import { startPreviewedApp } from "./previewed/start-app.mjs";

const command = "conformance:strict-csp";
const flags = parseFlags(command, { app: { type: "string" } });
const write = lineWriter(flags.json === true);
const folder = flags.app === undefined ? "" : resolve(String(flags.app));
const entry = join(folder, "node_modules", "thelounge", "index.js");
if (!existsSync(entry)) refuse(command, "--app DIR is needed, a folder with thelounge in its node_modules");
const preload = fileURLToPath(new URL("previewed/no-update-check.cjs", import.meta.url));

/** Its own state, apart from that of the person who runs this. */
const home = await mkdtemp(join(tmpdir(), "clew-lounge-"));
/** @param {string} theme */
const start = (theme) => [
  ...["sh", "-c"],
  `exec ${process.execPath} --require ${preload} ${entry} start -c public=true -c host=127.0.0.1 -c port=$PORT -c theme=${theme}`,
];
const [, , live] = start("default");
const app = await startPreviewedApp({
  services: [
    { name: "lounge", cwd: folder, run: () => live ?? "", env: { THELOUNGE_HOME: join(home, "live") } },
  ],
  changed: { service: "lounge", command: start("morning") },
  previewFlags: ["--preview-name", "lounge", "--preview-access", "link"],
});
const list = createChecklist(write);
const browser = await launchBrowser();
try {
  await visit("live", app.liveUrl, { theme: "default", bars: 0 });
  await visit("preview", app.preview.visitUrl, { theme: "morning", bars: 1 });
} finally {
  await browser.close();
  await app.stop();
  await rm(home, { recursive: true, force: true });
}
finish({ passed: list.faults.length === 0, checked: list.checked, faults: list.faults });

/**
 * @param {string} name
 * @param {string} url
 * @param {{ theme: string, bars: number }} expected
 */
async function visit(name, url, { theme, bars }) {
  const visitor = await startVisitor(browser, `strict-csp-${name}`);
  const { page } = visitor;
  const { check } = list;
  /** @type {string[]} */
  const sockets = [];
  page.on("websocket", (socket) => socket.on("framereceived", () => sockets.push(socket.url())));
  await check(
    `${name}: the page has its strict policy, on the second look, by its service worker, too`,
    async () => {
      await page.goto(url, { waitUntil: "networkidle" });
      const policy = (await page.goto(new URL("/", url).href))?.headers()["content-security-policy"] ?? "";
      return /default-src 'none'/.test(policy) && /script-src 'self'(;|$)/.test(policy) ? true : policy;
    },
  );
  await check(`${name}: its scripts run, and its first page is there`, async () => {
    await page.locator("#connect input[name='nick'], .connect-row").first().waitFor();
    await visitor.picture("connect");
    return true;
  });
  await check(`${name}: it has the ${theme} theme`, async () =>
    same(await page.locator("link#theme").getAttribute("href"), `themes/${theme}.css`),
  );
  await check(`${name}: its WebSocket is open, and carries messages`, async () => {
    await page.waitForFunction(() => document.querySelector("#loading") === null);
    for (let tries = 0; sockets.length === 0 && tries < 100; tries++) await page.waitForTimeout(100);
    return sockets.length > 0;
  });
  await check(`${name}: ${bars} bar${bars === 1 ? "" : "s"}, shown and styled`, async () => {
    if (bars === 0) return same(await visitor.bars(), 0);
    const shown = page.locator("clew-preview-bar summary");
    const box = await shown.boundingBox();
    const position = await page.locator("clew-preview-bar").evaluate((bar) => getComputedStyle(bar).position);
    return same([await visitor.bars(), position, (box?.height ?? 0) > 20], [1, "fixed", true]);
  });
  await check(`${name}: the bar opens by keyboard, and says who and what`, async () => {
    if (bars === 0) return true;
    const details = page.locator("clew-preview-bar details");
    const wasOpen = await details.evaluate((element) => element.hasAttribute("open"));
    await page.locator("clew-preview-bar summary").press("Enter");
    const isOpen = await details.evaluate((element) => element.hasAttribute("open"));
    await visitor.picture("bar");
    const text = (await page.locator("clew-preview-bar .card").textContent()) ?? "";
    return same([isOpen !== wasOpen, /ann/.test(text), /lounge/.test(text)], [true, true, true]);
  });
  await check(`${name}: no policy refused anything`, async () => same(visitor.violations, []));
  await check(`${name}: no script failed`, async () =>
    same(
      visitor.errors.filter((text) => !text.includes("beforeunload")),
      [],
    ),
  );
  await visitor.close();
}
