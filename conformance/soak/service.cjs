// @ts-check
// The service in the middle. It carries no context by hand: each part of the mix calls a receiver by its own client.
const http = require("node:http");
const http2 = require("node:http2");
const parts = require("./parts/index.cjs");

/** @type {Record<string, (label: string) => Promise<unknown>>} */
const calls = {};
const receivers = JSON.parse(String(process.env["RECEIVERS"]));
for (const [name, part] of Object.entries(parts)) calls[name] = part.create(receivers);

/** @param {any} request @param {any} response */
function serve(request, response) {
  const label = request.url.slice(1);
  const call = () => {
    const part = calls[label.slice(0, label.indexOf("/"))];
    if (part === undefined) throw new Error(`no part for ${label}`);
    part(label).then(
      () => response.writeHead(200, { "content-length": 0 }).end(),
      (error) => {
        process.stderr.write(`${error.stack}\n`);
        response.writeHead(500, { "content-length": 0 }).end();
      },
    );
  };
  // Bodies are read by events, which Node emits from outside of any scope.
  if (request.method === "POST") request.on("data", () => {}).on("end", call);
  else call();
}

/** @param {import("node:net").Server} server @returns {Promise<number>} */
const listen = (server) =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(/** @type {any} */ (server.address()).port));
  });

async function main() {
  const http1 = await listen(http.createServer({ keepAliveTimeout: 60_000 }, serve));
  const h2 = await listen(http2.createServer(serve));
  process.stdout.write(`ports ${JSON.stringify({ http1, http2: h2 })}\n`);
}
void main();
