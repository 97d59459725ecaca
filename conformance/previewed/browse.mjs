// @ts-check
// A visitor in headless Chromium, and all that the browser has to complain about.
import { join } from "node:path";
import { chromium } from "playwright-core";

/** Far longer than any step takes here. */
const waitMs = 15_000;
/** Nothing but this machine can be reached: an application that asks for more gets none of it. */
const onlyLoopback = "MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1";

export function launchBrowser() {
  return chromium.launch({
    executablePath: process.env["CLEW_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      `--host-resolver-rules=${onlyLoopback}`,
    ],
  });
}

/**
 * A visitor with cookies of its own.
 * @param {import("playwright-core").Browser} browser
 * @param {string} name of its pictures; CLEW_SCREENSHOTS=DIR keeps them
 */
export async function startVisitor(browser, name) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(waitMs);
  /** @type {string[]} */
  const errors = [];
  /** @type {string[]} */
  const violations = [];
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error") return;
    (/content security policy/i.test(text) ? violations : errors).push(text);
  });
  page.on("pageerror", (error) => errors.push(error.message));
  await context.exposeBinding("clewViolation", (_source, text) => void violations.push(String(text)));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      // @ts-expect-error It is exposed above.
      globalThis.clewViolation(`${violatedDirective} ${blockedURI}`);
    });
  });
  return {
    page,
    /** What the console said that no policy is to blame for. */
    errors,
    /** What a Content-Security-Policy refused. */
    violations,
    /** @param {string} what */
    async picture(what) {
      const folder = process.env["CLEW_SCREENSHOTS"];
      if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}-${what}.png`) });
    },
    /** How many bars the page has. */
    bars: () => page.locator("clew-preview-bar").count(),
    close: () => context.close(),
  };
}

/**
 * Steps of a visit, each with what came of it.
 * @param {(line: string) => void} write
 */
export function createChecklist(write) {
  /** @type {string[]} */
  const faults = [];
  let checked = 0;
  return {
    faults,
    get checked() {
      return checked;
    },
    /**
     * @param {string} what
     * @param {() => Promise<unknown>} look resolves with true where all is well, else with what was seen
     */
    async check(what, look) {
      checked += 1;
      const seen = await look().catch((/** @type {Error} */ error) => error.message.split("\n")[0]);
      write(`${seen === true ? "ok  " : "FAIL"} ${what}${seen === true ? "" : `: ${JSON.stringify(seen)}`}`);
      if (seen !== true) faults.push(`${what}: ${JSON.stringify(seen)}`);
    },
  };
}

/**
 * True, or what is there instead.
 * @param {unknown} seen @param {unknown} expected
 */
export function same(seen, expected) {
  return JSON.stringify(seen) === JSON.stringify(expected) || seen;
}
