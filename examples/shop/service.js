import { createServer } from "node:http";

/** An answer other than 200 with JSON. */
export class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * Starts one service of the shop on $PORT and ends it on SIGTERM.
 * `routes` maps "GET /path" to a function whose result is sent as JSON, unless it answered itself;
 * the last segment of a path may be a parameter, as in "GET /products/:".
 */
export function startService(name, routes) {
  const server = createServer((request, response) => {
    answer(request, response, routes).catch((error) => {
      const status = error instanceof HttpError ? error.status : 502;
      if (response.headersSent) response.destroy();
      else sendJson(response, status, { error: `${name}: ${error.message}` });
    });
  });
  const port = Number(process.env.PORT ?? 0);
  const host = process.env.HOST ?? "127.0.0.1";
  server.on("error", (error) => {
    process.stderr.write(`${name}: cannot listen on ${host}:${port}: ${error.message}\n`);
    process.exit(1);
  });
  server.listen(port, host, () => {
    process.stdout.write(`${name} listens on http://${host}:${server.address().port}\n`);
  });
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
      setTimeout(() => process.exit(0), 2_000).unref();
    });
  }
  return server;
}

async function answer(request, response, routes) {
  const url = new URL(request.url, "http://service");
  const parent = url.pathname.slice(0, url.pathname.lastIndexOf("/") + 1);
  const handle = routes[`${request.method} ${url.pathname}`] ?? routes[`${request.method} ${parent}:`];
  if (!handle) throw new HttpError(404, `nothing at ${request.method} ${url.pathname}`);
  const parameter = decodeURIComponent(url.pathname.slice(parent.length));
  const result = await handle({ request, response, url, parameter });
  if (!response.headersSent) sendJson(response, 200, result);
}

function sendJson(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(value)}\n`);
}

export async function readBody(request) {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) {
    body += chunk;
    if (body.length > 65_536) throw new HttpError(413, "more than 64 KiB sent");
  }
  return body;
}

/** The address of another service, from the environment variable that `clew.yaml` sets. */
export function addressOf(variable) {
  const address = process.env[variable];
  if (address) return address;
  process.stderr.write(`${variable} is not set: the address of the service that this one calls\n`);
  process.exit(64);
}

/** GETs JSON from another service. */
export async function getJson(url) {
  const response = await fetch(url);
  if (!response.ok) throw new HttpError(502, `${url} answered ${response.status}`);
  return response.json();
}
