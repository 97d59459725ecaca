// @ts-check
// node service.mjs NAME [--corrupt]: the live service, and the developer's: says its name in every answer, so that it can
// be checked where a request went. `--corrupt` changes one byte of each large answer, for the control.
import { createServer } from "node:http";
import { crc32 } from "node:zlib";
import { WebSocketServer } from "ws";
import { bodyOf, pieceBytes } from "./bodies.mjs";

const name = String(process.argv[2]);
const isCorrupt = process.argv.includes("--corrupt");
const served = { "x-served-by": name };

/** @type {Record<string, (index: number, request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => void>} */
const answers = {
  small(index, _request, response) {
    const body = `${name} ${index}`.padEnd(200, ".");
    response.writeHead(200, { ...served, "content-length": body.length }).end(body);
  },
  large(index, _request, response) {
    const body = isCorrupt ? Buffer.from(bodyOf(index)) : bodyOf(index);
    if (isCorrupt) body[1_000] = ~(body[1_000] ?? 0);
    response.writeHead(200, { ...served, "content-length": body.length }).end(body);
  },
  chunked(index, _request, response) {
    const body = bodyOf(index, 30_000);
    response.writeHead(200, { ...served, trailer: "x-sum" });
    for (let at = 0; at < body.length; at += pieceBytes(index))
      response.write(body.subarray(at, at + pieceBytes(index)));
    response.addTrailers({ "x-sum": String(crc32(body)) });
    response.end();
  },
  upload(_index, request, response) {
    let length = 0;
    let sum = 0;
    request.on("data", (/** @type {Buffer} */ bytes) => {
      length += bytes.length;
      sum = crc32(bytes, sum);
    });
    request.on("end", () => {
      const body = `${length} ${sum}`;
      response.writeHead(200, { ...served, "content-length": body.length }).end(body);
    });
  },
};

const server = createServer((request, response) => {
  const [, kind = "", index] = /^\/(\w+)\/(\d+)$/.exec(String(request.url)) ?? [];
  const answer = answers[kind];
  if (answer === undefined) response.writeHead(404, { "content-length": 0 }).end();
  else answer(Number(index), request, response);
});
const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (peer) => {
    peer.on("message", (data) => peer.send(`${name} ${data}`));
    peer.on("error", () => peer.terminate());
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`port ${/** @type {import("node:net").AddressInfo} */ (server.address()).port}\n`);
});
