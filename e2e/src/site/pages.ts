/** What the site's front page does is done by its script, and ends up in the elements that it names. */
export function frontPage(edition: string, customer: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The ${edition} site</title>
<link rel="icon" href="/picture.svg">
<link rel="stylesheet" href="/style.css">
<script src="/script.js" defer></script>
</head>
<body>
<main>
<h1>The ${edition} site</h1>
<p><img id="picture" src="/picture.svg" alt="a ball of thread" width="90" height="90"></p>
<dl>
<dt>Customer</dt><dd id="customer">${customer ?? "nobody"}</dd>
<dt>Asked by fetch</dt><dd id="fetched"></dd>
<dt>Uploaded</dt><dd id="uploaded"></dd>
<dt>From a WebSocket</dt><dd id="socket"></dd>
<dt>Server-sent events</dt><dd id="events"></dd>
<dt>A part of the film</dt><dd id="film"></dd>
<dt>A fragment</dt><dd id="included"></dd>
</dl>
<form method="post" action="/login"><label>Name <input name="name"></label> <button>Log in</button></form>
<p><a id="old" href="/old">An old address</a></p>
</main>
</body>
</html>
`;
}

export const style = `:root { color-scheme: light dark; font: 1.05rem/1.6 system-ui, sans-serif }
main { max-width: 42rem; margin: 3rem auto; padding: 0 1.25rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem }
dd { margin: 0; overflow-wrap: anywhere }
h1 { color: rgb(1, 2, 3) }
@media (prefers-color-scheme: dark) { h1 { color: rgb(250, 251, 252) } }
`;

/** 2 MiB go up: far more than anybody holds by accident. */
export const script = `"use strict";
const show = (id, text) => { document.getElementById(id).textContent = text };
fetch("/api/seen").then((answer) => answer.json()).then(({ edition }) => show("fetched", edition));
fetch("/upload", { method: "POST", body: new Uint8Array(2 * 1024 * 1024).fill(7) })
  .then((answer) => answer.json()).then(({ edition, bytes }) => show("uploaded", edition + " " + bytes));
fetch("/film", { headers: { range: "bytes=10-19" } })
  .then(async (answer) => show("film", answer.status + " " + (await answer.text()).length));
fetch("/fragment", { headers: { accept: "text/html" } }).then((answer) => answer.text()).then((html) => {
  document.getElementById("included").innerHTML = html;
});
const socket = new WebSocket("/socket".replace(/^/, location.origin.replace(/^http/, "ws")));
socket.onopen = () => socket.send("hello");
socket.onmessage = ({ data }) => show("socket", data);
const events = new EventSource("/events");
const received = [];
events.onmessage = ({ data }) => {
  received.push(data);
  show("events", received.join(", "));
  if (received.length === 3) events.close();
};
`;

export function picture(edition: string): string {
  const colour = edition === "live" ? "#3b4fd1" : "#b3471d";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90"><circle cx="45" cy="45" r="40" fill="${colour}"/></svg>`;
}
