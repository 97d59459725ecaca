import type { LocalAnswer, RequestHead } from "@clew/proxy";
import { escapeHtml } from "../pages/escape-html.ts";
import { styleHash } from "../pages/page-style.ts";
import type { Visit } from "../visit/visit.ts";
import { statusStyle } from "./bar-style.ts";
import { type PreviewState, stateOf } from "./preview-state.ts";

/** How often the bar looks again, in seconds: soon enough for a person, and next to nothing for the gateway. */
const refreshSeconds = 10;

const policy =
  `default-src 'none'; style-src ${styleHash(statusStyle)}; base-uri 'none'; form-action 'none'; ` +
  "frame-ancestors 'self'";

/** How a preview stands: the bar's frame, or JSON for whoever asks for that. */
export function statusPage(head: RequestHead, { preview }: Visit, now: number): LocalAnswer {
  const state = stateOf(preview);
  const { slug, owner, expiresAt, replaces } = preview;
  if (head.header("accept")?.includes("application/json")) {
    const remainingMs = Math.max(0, expiresAt - now);
    const body = JSON.stringify({ slug, owner, state: state.kind, expiresAt, remainingMs, replaces });
    return { status: 200, headers: [["content-type", "application/json"], ...common], body };
  }
  return frame(state, [["refresh", String(refreshSeconds)]]);
}

/** In the bar's frame, where no page would fit: it has ended, or its visitor may visit no more. */
export function endedStatus(status: number, code: string): LocalAnswer {
  return { ...frame({ kind: "unchanged", text: "ended" }, [["clew-error", code]]), status };
}

const common = [
  ["cache-control", "no-store"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
] as const;

function frame(
  { kind, text }: PreviewState,
  more: ReadonlyArray<readonly [name: string, value: string]>,
): LocalAnswer {
  return {
    status: 200,
    headers: [
      ["content-type", "text/html; charset=utf-8"],
      ...common,
      ["content-security-policy", policy],
      // A page that isolates itself may frame only what does so too. Source: HTML §7.1.4
      ["cross-origin-embedder-policy", "require-corp"],
      ["cross-origin-resource-policy", "same-origin"],
      ...more,
    ],
    body:
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>State of the preview</title>` +
      `<style>${statusStyle}</style><body class="${kind}"><i></i>${escapeHtml(text)}</body></html>\n`,
  };
}
