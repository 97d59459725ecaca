import { join } from "node:path";
import {
  type Browser,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Response,
} from "playwright-core";

/** Headless Chromium that reaches nothing but this machine. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CLEW_CHROMIUM"] ?? "/usr/bin/chromium",
    args: [
      ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
    ],
  });
}

/** Somebody with cookies of their own. Disposing forgets them. */
export interface Visitor extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console and of scripts, refusals of a Content-Security-Policy among them. */
  readonly complaints: readonly string[];
  /** The answer to a page of its own. */
  open(url: string): Promise<Response>;
  text(selector: string): Promise<string>;
  /** Resolves once an element says this. */
  reads(selector: string, text: string): Promise<unknown>;
  /** CLEW_SCREENSHOTS=DIR keeps a picture of the page. */
  picture(name: string): Promise<void>;
}

export async function startVisitor(browser: Browser, options: BrowserContextOptions = {}): Promise<Visitor> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  return {
    page,
    complaints,
    async open(url) {
      const response = await page.goto(url);
      if (response === null) throw new Error(`no answer for ${url}`);
      return response;
    },
    text: (selector) => page.locator(selector).innerText(),
    reads: (selector, text) =>
      page
        .locator(selector)
        .and(page.getByText(text, { exact: true }))
        .waitFor(),
    async picture(name) {
      const folder = process.env["CLEW_SCREENSHOTS"];
      if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}
