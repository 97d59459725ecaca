// @ts-check
// The same floor for the very bytes that our server gets and gives: a Forrst envelope, read and written unchecked.
import { createServer } from "node:http";
import { findOrder } from "../work.mjs";

export function start() {
  return createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const { protocol, id, call, extensions } = JSON.parse(Buffer.concat(chunks).toString());
      const { trace_id } = extensions[0].options;
      const duration = { value: 1, unit: "millisecond" };
      const data = { trace_id, span_id: "0123456789abcdef", duration };
      const traced = [{ urn: extensions[0].urn, data }];
      const text = JSON.stringify({ protocol, id, result: findOrder(call.arguments), extensions: traced });
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
        "cache-control": "no-store",
        "x-forrst-request-id": id,
      });
      response.end(text);
    });
  });
}
