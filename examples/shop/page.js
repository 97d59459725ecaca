const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeHtml = (text) => String(text).replace(/[&<>"]/g, (character) => entities[character]);
const money = (cents) => (cents / 100).toFixed(2);

function row({ sku, name, cents, now }) {
  const before = now.cents === cents ? "" : `<s>${money(cents)}</s> `;
  return `<tr data-sku="${escapeHtml(sku)}">
  <td>${escapeHtml(name)}</td>
  <td class="price">${before}<b>${money(now.cents)}</b></td>
  <td><form method="post" action="/buy"><button name="sku" value="${escapeHtml(sku)}">Buy</button></form></td>
</tr>`;
}

/** The shop's only page. */
export function page(offers, message) {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Labyrinth Supplies</title>
<style>
  :root { color-scheme: light dark }
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
  table { width: 100%; border-collapse: collapse }
  td { padding: .5rem 0; border-bottom: 1px solid #8884 }
  .price { text-align: right; padding-right: 1.5rem; font-variant-numeric: tabular-nums }
  s { opacity: .6 }
  #message { display: block; min-height: 1.5em }
</style>
<h1>Labyrinth Supplies</h1>
<output id="message">${escapeHtml(message)}</output>
<table>${offers.map(row).join("")}</table>
<p>Live price of yarn: <output id="live">…</output></p>
<script type="module">
  const live = new WebSocket(new URL("/live", location.href.replace(/^http/, "ws")));
  live.onopen = () => live.send("yarn");
  live.onmessage = ({ data }) => {
    const { cents, error } = JSON.parse(data);
    document.querySelector("#live").textContent = error ?? (cents / 100).toFixed(2);
  };
</script>
</html>
`;
}
