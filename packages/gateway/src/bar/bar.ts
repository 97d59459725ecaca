import type { Preview } from "@clew/control";
import { escapeHtml } from "../pages/escape-html.ts";
import { styleHash } from "../pages/page-style.ts";
import { statusPath } from "../visit/own-paths.ts";
import { barStyle } from "./bar-style.ts";
import { describeReplacements, stateOf, timeLeft } from "./preview-state.ts";

export const barStyleHash: string = styleHash(barStyle);

export interface BarOptions {
  readonly preview: Preview;
  /** Shown open: to a visitor who has just come. */
  readonly isOpen: boolean;
  /** A frame that says how things stand now, where the page may have one; otherwise how they stood when it was loaded. */
  readonly hasFrame: boolean;
  /** Where the preview is left; undefined where it has a host of its own. */
  readonly leaveHref: string | undefined;
  readonly now: number;
}

/**
 * The bar as HTML, in ASCII. It lives in a shadow tree, so that neither the page's styles nor its scripts meet it, and needs
 * no script itself: it is opened and closed by `<details>`, and a small frame keeps its state current. It takes no room.
 */
export function renderBar({ preview, isOpen, hasFrame, leaveHref, now }: BarOptions): string {
  const { slug, owner, expiresAt } = preview;
  const state = stateOf(preview);
  const frame = `<iframe src="${statusPath}" title="State of the preview" tabindex="-1"></iframe>`;
  const ends = `${timeLeft(expiresAt, now)} (${new Date(expiresAt).toUTCString().replace(/:\d\d GMT$/, " UTC")})`;
  const leave = leaveHref === undefined ? "" : ` <a href="${escapeHtml(leaveHref)}">Leave this preview</a>`;
  return (
    `<clew-preview-bar lang="en" dir="ltr"><template shadowrootmode="open"><style>${barStyle}</style>` +
    `<details${isOpen ? " open" : ""}><summary><span class="name">Preview <b>${escapeHtml(slug)}</b></span>` +
    (hasFrame ? frame : `<span class="state">${escapeHtml(state.text)}</span>`) +
    `<span class="sign"></span></summary><div class="card"><dl>` +
    `<dt>Owner</dt><dd>${escapeHtml(owner)}</dd><dt>Ends</dt><dd>${escapeHtml(ends)}</dd>` +
    `<dt>Changed</dt>${changed(preview)}</dl>` +
    `<p>Everything else is live.${leave}</p></div></details></template></clew-preview-bar>`
  );
}

function changed(preview: Preview): string {
  const lines = describeReplacements(preview);
  if (lines.length === 0) return "<dd>Nothing right now</dd>";
  return lines.map((line, at) => `${at === 0 ? "" : "<dt></dt>"}<dd>${escapeHtml(line)}</dd>`).join("");
}
