// @ts-check
// The same as a handler of a node:http server of one's own.
import { createServer } from "node:http";
import { createForrstServer } from "./clew.mjs";

export function start() {
  const server = createForrstServer();
  return createServer((request, response) => server.handle(request, response));
}
