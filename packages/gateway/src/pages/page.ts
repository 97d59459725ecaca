import type { LocalAnswer, RequestHead } from "@clew/proxy";
import { escapeHtml } from "./escape-html.ts";
import { pageStyle, styleHash } from "./page-style.ts";

/** One of the gateway's own pages, in words; {@link renderPage} makes a page or plain text of it. */
export interface Page {
  readonly status: number;
  /** Stable, see docs/reference/errors.md. */
  readonly code: string;
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  /** For whoever runs or makes previews; set apart. */
  readonly hint?: string | undefined;
  /** Name of the preview, where the visitor may know it. */
  readonly preview?: string | undefined;
  readonly password?: PasswordForm | undefined;
  readonly links?: ReadonlyArray<{ readonly href: string; readonly text: string }> | undefined;
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined;
}

interface PasswordForm {
  readonly action: string;
  /** Where it leads to. */
  readonly returnTo: string;
  /** What was wrong with the last try. */
  readonly fault?: string | undefined;
}

/** No script, nothing from elsewhere, never in another's frame. */
const policy =
  `default-src 'none'; style-src ${styleHash(pageStyle)}; form-action 'self'; ` +
  "base-uri 'none'; frame-ancestors 'none'";

export function wantsHtml(head: RequestHead): boolean {
  return head.header("accept")?.includes("text/html") ?? false;
}

/** A page in a browser, plain text anywhere else. Kept by nobody, and tells no other site where its visitor was. */
export function renderPage(page: Page, isHtml: boolean): LocalAnswer {
  return {
    status: page.status,
    headers: [
      ["content-type", isHtml ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"],
      ["cache-control", "no-store"],
      ["referrer-policy", "no-referrer"],
      ["x-content-type-options", "nosniff"],
      ["clew-error", page.code],
      ...(isHtml ? [["content-security-policy", policy] as const] : []),
      ...(page.headers ?? []),
    ],
    body: isHtml ? html(page) : plain(page),
  };
}

function plain({ title, text, hint }: Page): string {
  const lines = hint === undefined ? text : [...text, hint];
  return `${title}\n\n${lines.join("\n")}\n`;
}

function html(page: Page): string {
  const name = page.preview === undefined ? "Preview" : `Preview ${page.preview}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(page.title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<p class="mark">${clewMark}<span>${escapeHtml(name)}</span></p>
<h1>${escapeHtml(page.title)}</h1>
${page.text.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("\n")}
${page.hint === undefined ? "" : `<p class="hint">${escapeHtml(page.hint)}</p>`}
${page.password === undefined ? "" : passwordForm(page.password)}
${linksOf(page)}
</main>
</body>
</html>
`;
}

function passwordForm({ action, returnTo, fault }: PasswordForm): string {
  const said =
    fault === undefined ? "" : `<p class="fault" id="fault" role="alert">${escapeHtml(fault)}</p>\n`;
  const described = fault === undefined ? "" : ' aria-describedby="fault" aria-invalid="true"';
  return `<form method="post" action="${escapeHtml(action)}">
${said}<input type="hidden" name="return" value="${escapeHtml(returnTo)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus${described}>
<button>Open the preview</button>
</form>`;
}

function linksOf({ links = [] }: Page): string {
  if (links.length === 0) return "";
  const [first, ...more] = links.map(({ href, text }, at) => {
    const look = at === 0 ? ' class="button"' : "";
    return `<a${look} href="${escapeHtml(href)}">${escapeHtml(text)}</a>`;
  });
  return `<p class="actions">${[first, ...more].join("\n")}</p>`;
}

/** A ball of thread, and the thread that leads out of it. */
const clewMark =
  '<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true">' +
  '<circle cx="10" cy="11" r="7.5"/><path d="M3.5 8c4.5-2 9 0 13 5M3 13c4.5-2.5 8-.5 10.5 4.5M9 3.6c-2 4-1.5 9.5 2 14.7M12 18.3c3 2.5 6 2.5 9 1"/></svg>';
