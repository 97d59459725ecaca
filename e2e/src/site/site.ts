// node site.js [--edition NAME]: a site that does what sites do, on $PORT. Two editions differ in their name alone.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { WebSocketServer } from "ws";
import { frontPage, picture, script, style } from "./pages.ts";

const { values } = parseArgs({ options: { edition: { type: "string", default: "live" } } });
const { edition } = values;
const customers = new Map<string, string>();

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

const routes: Readonly<Record<string, Handler>> = {
  "GET /": (request, response) => sendPage(response, frontPage(edition, nameOf(request))),
  "GET /packed": (request, response) => {
    const page = gzipSync(frontPage(edition, nameOf(request)));
    response.writeHead(200, { ...pageHeaders, "content-encoding": "gzip", "content-length": page.length });
    response.end(page);
  },
  "GET /fragment": (_request, response) =>
    sendPage(response, `<p id="fragment">A fragment of ${edition}</p>`),
  "GET /style.css": (_request, response) => send(response, "text/css", style),
  "GET /script.js": (_request, response) => send(response, "text/javascript", script),
  "GET /picture.svg": (_request, response) => send(response, "image/svg+xml", picture(edition)),
  "GET /api/seen": ({ headers }, response) =>
    send(response, "application/json", JSON.stringify({ edition, headers })),
  "GET /old": (request, response) => redirect(response, 301, `http://${request.headers.host}/moved`),
  "GET /moved": (_request, response) => sendPage(response, `<h1>Moved, ${edition}</h1>`),
  "GET /events": sendEvents,
  "GET /film": sendRange,
  "POST /login": logIn,
  "POST /upload": receiveUpload,
};

/** Everything from itself, and nothing inline. */
const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'",
  "cache-control": "no-cache",
};

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { "content-type": type }).end(body);
}

function sendPage(response: ServerResponse, page: string): void {
  response.writeHead(200, { ...pageHeaders, etag: '"1"' }).end(page);
}

function redirect(response: ServerResponse, status: number, location: string, cookie?: string): void {
  response.writeHead(status, { location, ...(cookie === undefined ? {} : { "set-cookie": cookie }) }).end();
}

function nameOf({ headers }: IncomingMessage): string | undefined {
  const session = /(?:^|; )sid=([^;]*)/.exec(headers.cookie ?? "")?.[1];
  return session === undefined ? undefined : customers.get(session);
}

async function logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = new URLSearchParams((await bodyOf(request)).toString());
  const session = randomBytes(8).toString("hex");
  customers.set(session, form.get("name") ?? "");
  redirect(response, 303, "/", `sid=${session}; Path=/; HttpOnly; SameSite=Lax`);
}

async function receiveUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const sha256 = createHash("sha256").update(body).digest("hex");
  send(response, "application/json", JSON.stringify({ edition, bytes: body.length, sha256 }));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}

/** Three events, each as soon as the one before was sent: whoever holds them back gives them late. */
function sendEvents(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  let count = 0;
  const timer = setInterval(() => {
    count += 1;
    response.write(`data: ${edition} ${count}\n\n`);
    if (count === 3) clearInterval(timer);
  }, 50);
  response.once("close", () => clearInterval(timer));
}

/** 100 bytes, of which a part may be asked for. */
function sendRange({ headers }: IncomingMessage, response: ServerResponse): void {
  const film = Buffer.alloc(100, edition);
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? "") ?? [];
  if (from === undefined || to === undefined) {
    send(response, "video/x-film", film.toString());
    return;
  }
  const part = film.subarray(Number(from), Number(to) + 1);
  response.writeHead(206, { "content-type": "video/x-film", "content-range": `bytes ${from}-${to}/100` });
  response.end(part);
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://site");
  const handler = routes[`${request.method} ${pathname}`];
  if (handler) Promise.resolve(handler(request, response)).catch(() => response.destroy());
  else response.writeHead(404).end("nothing here");
});
const sockets = new WebSocketServer({ server, path: "/socket" });
sockets.on("connection", (socket) => {
  socket.on("message", (data) => socket.send(`${edition}: ${String(data)}`));
});
server.listen(Number(process.env["PORT"]), process.env["HOST"] ?? "127.0.0.1");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(0));
