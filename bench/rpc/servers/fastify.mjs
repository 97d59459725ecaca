// @ts-check
// Plain fastify: a route, and a JSON Schema for its body. No RPC of its own.
import fastify from "fastify";
import { findOrder } from "../work.mjs";

export async function start() {
  const app = fastify();
  const body = {
    type: "object",
    required: ["id", "lines"],
    properties: {
      id: { type: "string", minLength: 1 },
      lines: { type: "integer", minimum: 0, maximum: 1_000 },
    },
  };
  app.post("/", { schema: { body } }, async (request) => findOrder(/** @type {any} */ (request.body)));
  await app.ready();
  return app.server;
}
