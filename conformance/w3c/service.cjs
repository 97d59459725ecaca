// What the W3C's trace-context harness calls: a service that knows nothing of traces. It takes `[{ url, arguments }]`
// by POST, and posts to each url its arguments. CLIENT is `http` or `fetch`.
const http = require("node:http");

const contentType = { "content-type": "application/json" };

/** @param {string} url @param {string} body */
function postByHttp(url, body) {
  return new Promise((resolve, reject) => {
    const headers = { ...contentType, "content-length": Buffer.byteLength(body) };
    const request = http.request(url, { method: "POST", headers }, (response) => {
      response.resume().on("end", resolve);
    });
    request.on("error", reject).end(body);
  });
}

/** @param {string} url @param {string} body */
async function postByFetch(url, body) {
  const response = await fetch(url, { method: "POST", headers: contentType, body });
  await response.arrayBuffer();
}

const post = process.env.CLIENT === "fetch" ? postByFetch : postByHttp;

/** @param {http.IncomingMessage} request */
async function serve(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const calls = JSON.parse(Buffer.concat(chunks).toString() || "[]");
  for (const call of calls) await post(call.url, JSON.stringify(call.arguments ?? []));
}

const server = http.createServer((request, response) => {
  serve(request).then(
    () => response.setHeader("content-type", "application/json").end("[]"),
    (error) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`port ${server.address().port}\n`));
