/** The bar's look. Constant, so that a Content-Security-Policy can allow it by its hash. */
export const barStyle = `
:host { all: initial !important; position: fixed !important; display: block !important; z-index: 2147483647 !important; inset: auto auto max(12px, env(safe-area-inset-bottom)) max(12px, env(safe-area-inset-left)) !important; max-width: calc(100vw - 24px) !important; color-scheme: light dark !important; contain: layout style !important }
* { box-sizing: border-box }
details { --back: #fff; --text: #1d1d20; --soft: #5c5c66; --line: #cfcdc6; --accent: #3b4fd1; position: relative; width: fit-content; max-width: 100%; font: 13px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--text); text-align: start }
summary, .card { background: var(--back); border: 1px solid var(--line); box-shadow: 0 2px 12px rgb(0 0 0 / .16) }
summary { display: flex; align-items: center; gap: 9px; min-height: 34px; padding: 5px 13px; border-radius: 17px; cursor: pointer; list-style: none; user-select: none }
summary::-webkit-details-marker { display: none }
summary:focus-visible, a:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.name { flex: 0 1 auto; min-width: 3em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.name b { font-weight: 650 }
.state, iframe { flex: none; height: 1.5em; border: 0; border-inline-start: 1px solid var(--line); padding-inline-start: 9px; white-space: nowrap }
iframe { width: 14em; pointer-events: none; background: transparent; color-scheme: light dark }
.sign { flex: none; width: 7px; height: 7px; margin-inline-start: auto; border: solid var(--soft); border-width: 1.5px 1.5px 0 0; transform: translateY(2px) rotate(-45deg) }
[open] .sign { transform: translateY(-2px) rotate(135deg) }
.card { position: absolute; inset-block-end: calc(100% + 8px); inset-inline-start: 0; width: max-content; min-width: 100%; max-width: min(24rem, calc(100vw - 24px)); max-height: calc(100vh - 80px); overflow: auto; padding: 14px 16px; border-radius: 14px }
dl { display: grid; grid-template-columns: auto 1fr; gap: 5px 14px; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
p { margin: 10px 0 0; padding: 10px 0 0; border-top: 1px solid var(--line); color: var(--soft) }
a { color: var(--accent) }
@media (prefers-color-scheme: dark) { details { --back: #202026; --text: #ececf0; --soft: #a8a8b5; --line: #45454f; --accent: #9aa6ff } summary, .card { box-shadow: 0 2px 14px rgb(0 0 0 / .5) } }
@media (max-width: 26rem) { .state, iframe { border-inline-start: 0; padding-inline-start: 0 } iframe { width: 12em } }
@media print { :host { display: none !important } }
`;

/** The look of the small document in the bar that says how things stand. */
export const statusStyle = `
:root { color-scheme: light dark; color: #1d1d20; background: transparent; font: 13px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
body { margin: 0; white-space: nowrap; overflow: hidden; user-select: none }
i { display: inline-block; width: 8px; height: 8px; margin-inline-end: 6px; border: 2px solid #8a8a93; border-radius: 50% }
.connected i { background: #1f9d55; border-color: #1f9d55 }
.away i { border-color: #d9622b }
@media (prefers-color-scheme: dark) { :root { color: #ececf0 } .connected i { background: #4cc38a; border-color: #4cc38a } .away i { border-color: #ff9d5c } }
`;
