// A CommonJS application: it calls TARGET for each request, by http or by fetch as the path says, and hands the answer on.
const http = require("node:http") as typeof import("node:http");

const target = process.env["TARGET"] ?? "";

const server = http.createServer((req, res) => {
  if (req.url === "/fetch") {
    fetch(target)
      .then((answer) => answer.text())
      .then(
        (body) => res.end(body),
        (error: unknown) => res.writeHead(502).end(String(error)),
      );
  } else {
    http.get(target, (answer) => answer.pipe(res));
  }
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address !== null && typeof address === "object") process.stdout.write(`port ${address.port}\n`);
});
process.on("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
