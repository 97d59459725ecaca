import type { LocalAnswer, RequestHead } from "@clew/proxy";
import type { PreviewFinding } from "./preview-directory.ts";

interface Page {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly text: string;
  readonly todo: string;
}

const pages: Readonly<Record<Exclude<PreviewFinding["kind"], "live">, Page>> = {
  unknown: {
    status: 404,
    code: "E_PREVIEW_UNKNOWN",
    title: "There is no such preview",
    text: "No preview has this address. Perhaps a character of it was lost on the way.",
    todo: "Check the link, or ask whoever sent it for a new one. Previews that exist are listed by: clew preview list",
  },
  ended: {
    status: 410,
    code: "E_PREVIEW_ENDED",
    title: "This preview has ended",
    text: "Its time is over, or its owner has removed it.",
    todo: "Ask whoever sent you the link for a new one. They make it with: clew preview create",
  },
  "no-list": {
    status: 503,
    code: "E_PREVIEW_NO_LIST",
    title: "Previews cannot be shown yet",
    text: "This gateway has not heard from its manager since it was started, so it does not know any preview.",
    todo: "Try again in a moment. If you run this system: clew status",
  },
};

/** What a visitor sees where there is no preview to show: a page in a browser, plain text anywhere else. */
export function previewPage(kind: keyof typeof pages, head: RequestHead): LocalAnswer {
  const page = pages[kind];
  const isHtml = head.header("accept")?.includes("text/html") ?? false;
  return {
    status: page.status,
    headers: [
      ["content-type", isHtml ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"],
      ["cache-control", "no-store"],
      ["clew-error", page.code],
      ...(isHtml
        ? [["content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"] as const]
        : []),
      ...(kind === "no-list" ? [["retry-after", "5"] as const] : []),
    ],
    body: isHtml ? renderHtml(page) : `${page.title}\n\n${page.text}\n${page.todo}\n`,
  };
}

function renderHtml({ title, text, todo }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 1.125rem/1.6 system-ui, sans-serif }
main { max-width: 36rem; margin: 18vh auto 2rem; padding: 0 1.5rem }
h1 { font-size: 1.6rem; line-height: 1.25 }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
<p>${todo}</p>
</main>
</body>
</html>
`;
}
