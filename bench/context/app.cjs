// @ts-check
// The two services of the benchmark, without a line about contexts. ROLE=B answers; ROLE=A asks B for every request,
// by CLIENT=http (a keep-alive agent) or fetch. ALS=1 is the floor: one AsyncLocalStorage scope per request, and nothing else.
const http = require("node:http");

const target = process.env["TARGET"];
const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

/** @returns {Promise<string>} */
function getByHttp() {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: Number(target), path: "/x", agent };
    http
      .get(options, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => resolve(body));
      })
      .on("error", reject);
  });
}

const getByFetch = async () => (await fetch(`http://127.0.0.1:${target}/x`)).text();
const get = process.env["CLIENT"] === "fetch" ? getByFetch : getByHttp;

/** @param {http.IncomingMessage} _request @param {http.ServerResponse} response */
async function ask(_request, response) {
  try {
    const body = await get();
    response.setHeader("content-type", "text/plain");
    response.end(body);
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
}

/** @param {http.IncomingMessage} _request @param {http.ServerResponse} response */
function answer(_request, response) {
  response.setHeader("content-type", "text/plain");
  response.end("hello");
}

/** @type {(request: http.IncomingMessage, response: http.ServerResponse) => unknown} */
let serve = process.env["ROLE"] === "A" ? ask : answer;
if (process.env["ALS"] === "1") {
  const { AsyncLocalStorage } = require("node:async_hooks");
  const storage = new AsyncLocalStorage();
  const bare = serve;
  serve = (request, response) => storage.run(request, bare, request, response);
}

const server = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  if (request.url === "/memory") {
    globalThis.gc?.();
    response.end(JSON.stringify(process.memoryUsage()));
  } else {
    void serve(request, response);
  }
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`port ${/** @type {import("node:net").AddressInfo} */ (server.address()).port}\n`);
});
