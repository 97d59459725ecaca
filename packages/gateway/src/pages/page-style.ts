import { createHash } from "node:crypto";

/** The look of the gateway's own pages: constant, so that their Content-Security-Policy can name it by its hash. */
export const pageStyle = `
:root { color-scheme: light dark; --back: #f6f5f2; --card: #fff; --text: #1d1d20; --soft: #5c5c66; --line: #dddbd5; --accent: #3b4fd1; --on-accent: #fff; --warn: #a8321d }
@media (prefers-color-scheme: dark) { :root { --back: #151518; --card: #1e1e23; --text: #ececf0; --soft: #a5a5b2; --line: #35353d; --accent: #9aa6ff; --on-accent: #14141c; --warn: #ff9d88 } }
* { box-sizing: border-box }
html { background: var(--back); color: var(--text); font: 1.0625rem/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; -webkit-text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; min-height: 100svh; display: grid; align-content: center; padding: 1.5rem 1rem 12vh }
main { width: 100%; max-width: 35rem; margin: 0 auto; padding: clamp(1.5rem, 6vw, 2.75rem); background: var(--card); border: 1px solid var(--line); border-radius: 14px }
.mark { display: flex; align-items: center; gap: .6em; margin: 0 0 1.4rem; color: var(--soft); font-size: .9375rem; overflow-wrap: anywhere }
.mark svg { flex: none; width: 1.5em; height: 1.5em; color: var(--accent) }
h1 { margin: 0 0 .8rem; font-size: 1.55rem; line-height: 1.25; letter-spacing: -.01em; text-wrap: balance; overflow-wrap: anywhere }
p { margin: 0 0 .9rem; overflow-wrap: anywhere }
.hint { color: var(--soft); font-size: .9375rem }
code { font: .9em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere }
form { margin: 1.5rem 0 0 }
label { display: block; margin: 0 0 .4rem; font-weight: 600 }
input, button, .button { font: inherit; min-height: 2.75rem; border-radius: 8px; padding: .5rem .9rem }
input { width: 100%; border: 1px solid var(--soft); background: var(--card); color: var(--text) }
button, .button { display: inline-block; margin-top: 1rem; border: 1px solid var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none; cursor: pointer }
a { color: var(--accent) }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.fault { margin: 0 0 1rem; color: var(--warn); font-weight: 600 }
.actions { margin: 1.25rem 0 0; display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; align-items: baseline }
main > :last-child { margin-bottom: 0 }
`;

/** As a source in a Content-Security-Policy. Source: CSP Level 3 §2.3.1 */
export function styleHash(style: string): string {
  return `'sha256-${createHash("sha256").update(style).digest("base64")}'`;
}
