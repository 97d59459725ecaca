// @ts-check
// Ours: arguments validated, context on (each call in a scope of its own), tracing on.
import { createServer } from "node:http";
import { createServer as createForrstServer } from "@clew/rpc";
import { z } from "zod";
import { findOrder, forrstFunction, orderArguments } from "../work.mjs";

export function start() {
  const server = createForrstServer({ service: "bench" });
  server.function(forrstFunction, {
    version: "1.0.0",
    arguments: orderArguments,
    result: z.unknown(),
    handler: findOrder,
  });
  return createServer((request, response) => server.handle(request, response));
}
