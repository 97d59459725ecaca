// @ts-check
// Ours, as the guide starts it: arguments validated, context on (each call in a scope of its own), tracing on.
import { createServer, listen } from "@clew/rpc";
import { z } from "zod";
import { findOrder, forrstFunction, orderArguments } from "../work.mjs";

export function createForrstServer() {
  return createServer({ service: "bench" }).function(forrstFunction, {
    version: "1.0.0",
    arguments: orderArguments,
    result: z.unknown(),
    handler: findOrder,
  });
}

export async function start() {
  const { url } = await listen(createForrstServer());
  return { port: Number(new URL(url).port) };
}
