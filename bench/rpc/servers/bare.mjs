// @ts-check
// node:http, JSON.parse and JSON.stringify, and nothing else: the floor. The arguments are the whole body.
import { createServer } from "node:http";
import { findOrder } from "../work.mjs";

export function start() {
  return createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const args = JSON.parse(Buffer.concat(chunks).toString());
      const text = JSON.stringify(findOrder(args));
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
}
