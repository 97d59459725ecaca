// @ts-check
// Those whom the service calls, by HTTP/1.1, HTTP/2 and gRPC, in a process where nothing propagates.
const http = require("node:http");
const http2 = require("node:http2");
const { Server, ServerCredentials } = require("@grpc/grpc-js");
const { checkMethod } = require("./grpc-method.cjs");
const { Tally } = require("./labels.cjs");

const tally = new Tally();

/** @param {http.IncomingMessage | http2.Http2ServerRequest} request @param {any} response */
function receive(request, response) {
  if (request.url === "/tally") {
    response.end(JSON.stringify(tally.counts));
    return;
  }
  tally.add(String(request.url).slice(1), request.headers["baggage"]);
  // Some answers overtake others.
  if (Math.random() < 0.1) setTimeout(() => response.end(), 2);
  else response.end();
}

const grpc = new Server();
grpc.addService(
  { check: checkMethod },
  {
    check(/** @type {any} */ call, /** @type {any} */ answer) {
      tally.add(call.request, call.metadata.get("baggage")[0]);
      answer(null, "");
    },
  },
);

/** @param {import("node:net").Server} server @returns {Promise<number>} */
const listen = (server) =>
  new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve(/** @type {any} */ (server.address()).port));
  });

async function main() {
  const http1 = await listen(http.createServer({ keepAliveTimeout: 60_000 }, receive));
  const h2 = await listen(http2.createServer(receive));
  const credentials = ServerCredentials.createInsecure();
  grpc.bindAsync("127.0.0.1:0", credentials, (_error, port) => {
    process.stdout.write(`ports ${JSON.stringify({ http1, http2: h2, grpc: port })}\n`);
  });
}
void main();
