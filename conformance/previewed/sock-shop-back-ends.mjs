// @ts-check
// Stands in for the Sock Shop's catalogue, carts, users and orders, all at one address.
// PORT says where; --changed sells other socks. Written from what the front end asks for.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

const isChanged = process.argv.includes("--changed");
const names = isChanged ? ["Changed socks", "Reviewed socks"] : ["Holy socks", "Colourful socks"];
const products = names.map((name, at) => ({
  id: `sock-${at + 1}`,
  name,
  description: `${name}, a pair`,
  imageUrl: [`/catalogue/images/sock-${at + 1}.svg`, `/catalogue/images/sock-${at + 1}.svg`],
  price: isChanged ? 5 : 10 + at,
  count: 100,
  tag: ["brown"],
}));
const customer = { id: "eve", firstName: "Eve", lastName: "Berger", username: "Eve_Berger" };
/** @type {Map<string, Array<{ itemId: string, unitPrice: number, quantity: number }>>} */
const carts = new Map();

/** @type {ReadonlyArray<readonly [method: string, path: RegExp, answer: (groups: string[], request: import("node:http").IncomingMessage) => Promise<Answer> | Answer]>} */
const routes = [
  ["GET", /^\/catalogue$/, () => ({ body: products })],
  ["GET", /^\/catalogue\/size$/, () => ({ body: { size: products.length } })],
  ["GET", /^\/tags$/, () => ({ body: { tags: ["brown"] } })],
  ["GET", /^\/catalogue\/images\//, () => ({ body: picture(), type: "image/svg+xml" })],
  ["GET", /^\/catalogue\/([^/]+)$/, ([id]) => ({ body: products.find((one) => one.id === id) ?? {} })],
  ["GET", /^\/carts\/([^/]+)\/items$/, ([id = ""]) => ({ body: carts.get(id) ?? [] })],
  ["POST", /^\/carts\/([^/]+)\/items$/, ([id = ""], request) => addToCart(id, request)],
  ["GET", /^\/carts\/([^/]+)\/merge$/, ([id = ""], request) => mergeCarts(id, request)],
  ["DELETE", /^\/carts\/([^/]+)$/, ([id = ""]) => emptyCart(id)],
  ["GET", /^\/login$/, (_groups, request) => login(request)],
  ["GET", /^\/customers\/[^/]+$/, () => ({ body: customer })],
  ["GET", /^\/customers\/[^/]+\/cards$/, () => ({ body: { _embedded: { card: [] } } })],
  ["GET", /^\/customers\/[^/]+\/addresses$/, () => ({ body: { _embedded: { address: [] } } })],
];

/** @typedef {{ status?: number, body?: unknown, type?: string }} Answer */

function picture() {
  const colour = isChanged ? "#b3471d" : "#2b6cb0";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 90"><path fill="${colour}" d="M30 5h25v45l20 20-15 15L30 55z"/></svg>`;
}

/** @param {string} id @param {import("node:http").IncomingMessage} request */
async function addToCart(id, request) {
  const { itemId, unitPrice } = JSON.parse(await text(request));
  const cart = carts.get(id) ?? [];
  const item = cart.find((one) => one.itemId === itemId);
  if (item) item.quantity += 1;
  else cart.push({ itemId, unitPrice, quantity: 1 });
  carts.set(id, cart);
  return { status: 201 };
}

/** @param {string} id */
function emptyCart(id) {
  carts.delete(id);
  return { status: 202 };
}

/** What was put into the cart before the login is in the customer's after it. @param {string} id @param {import("node:http").IncomingMessage} request */
function mergeCarts(id, request) {
  const session = new URL(request.url ?? "/", "http://back-ends").searchParams.get("sessionId") ?? "";
  carts.set(id, [...(carts.get(id) ?? []), ...(carts.get(session) ?? [])]);
  return { status: 202 };
}

/** @param {import("node:http").IncomingMessage} request */
function login({ headers }) {
  const [, encoded = ""] = (headers.authorization ?? "").split(" ");
  const isEve = Buffer.from(encoded, "base64").toString() === "Eve_Berger:eve";
  return isEve ? { body: { user: customer } } : { status: 401 };
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://back-ends");
  for (const [method, path, answer] of routes) {
    const match = path.exec(pathname);
    if (request.method !== method || !match) continue;
    const { status = 200, body, type = "application/json" } = await answer(match.slice(1), request);
    response.writeHead(status, { "content-type": type });
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
    return;
  }
  response.writeHead(404).end();
});
server.listen(Number(process.env["PORT"]), process.env["HOST"] ?? "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(0));
