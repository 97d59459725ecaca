import { WebSocketServer } from "ws";
import { page } from "./page.js";
import { addressOf, getJson, readBody, startService } from "./service.js";

const catalogueUrl = addressOf("CATALOGUE_URL");
const ordersUrl = addressOf("ORDERS_URL");

const quote = (sku) => getJson(`${ordersUrl}/quotes/${encodeURIComponent(sku)}`);

async function showPage({ request, response }) {
  const products = await getJson(`${catalogueUrl}/products`);
  const offers = await Promise.all(
    products.map(async (product) => ({ ...product, now: await quote(product.sku) })),
  );
  const message = /(?:^|; )message=([^;]*)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  response
    .writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "set-cookie": "message=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
    })
    .end(page(offers, decodeURIComponent(message)));
}

/** Buys, remembers what to say in a cookie, and sends the browser back to the page. */
async function buy({ request, response }) {
  const sku = new URLSearchParams(await readBody(request)).get("sku");
  const answer = await fetch(`${ordersUrl}/orders`, { method: "POST", body: JSON.stringify({ sku }) });
  const order = await answer.json();
  const message = answer.ok
    ? `Bought ${order.sku} for ${(order.cents / 100).toFixed(2)}, receipt ${order.receipt}`
    : `Not bought: ${order.error}`;
  response
    .writeHead(303, {
      location: "/",
      "set-cookie": `message=${encodeURIComponent(message)}; Path=/; HttpOnly; SameSite=Lax`,
    })
    .end();
}

const server = startService("storefront", {
  "GET /": showPage,
  "POST /buy": buy,
  "GET /api/quotes/:": ({ parameter }) => quote(parameter),
  "GET /healthz": () => ({ status: "ok" }),
});

// The page asks for fresh prices over a WebSocket: a product's sku in, its quote out.
const sockets = new WebSocketServer({ server, path: "/live" });
sockets.on("connection", (socket) => {
  socket.on("message", async (data) => {
    try {
      socket.send(JSON.stringify(await quote(String(data))));
    } catch (error) {
      socket.send(JSON.stringify({ error: error.message }));
    }
  });
});
