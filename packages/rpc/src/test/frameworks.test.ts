import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { test } from "node:test";
import { serve } from "@hono/node-server";
// @ts-expect-error Express brings no types along.
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { createClient } from "../client/create-client.ts";
import { defineFunction } from "../contract.ts";
import { isRpcError } from "../rpc-error.ts";
import { createServer, type ForrstServer } from "../server/create-server.ts";
import { createFastifyPlugin, createHonoHandler } from "../transports/adapters.ts";
import { type StartedTransport, transportContract } from "./transport-contract.ts";

/** What all frameworks have in common once they listen. */
function started(server: Server, end: () => Promise<unknown>): StartedTransport {
  const sockets = new Set<Socket>();
  server.prependListener("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const kill = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/forrst`,
    connections: () => sockets.size,
    kill,
    async [Symbol.asyncDispose]() {
      const closed = end();
      kill();
      await closed;
    },
  };
}

const close = (server: Server) => async (): Promise<void> => {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  await closed;
};

async function startExpress(server: ForrstServer, prepare?: unknown): Promise<StartedTransport> {
  const app = express();
  if (prepare !== undefined) app.use(prepare);
  app.use("/forrst", server.handle);
  const http = app.listen(0, "127.0.0.1");
  await once(http, "listening");
  return started(http, close(http));
}

transportContract({ name: "Express", start: startExpress });

transportContract({
  name: "Fastify",
  async start(server) {
    const app = fastify();
    app.post("/own", async (request) => request.body);
    await app.register(createFastifyPlugin(server, "/forrst"));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return started(app.server, () => app.close());
  },
});

transportContract({
  name: "Hono",
  async start(server) {
    const app = new Hono();
    app.all("/forrst", createHonoHandler(server));
    const http = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
    if (!http.listening) await once(http, "listening");
    return started(http, close(http));
  },
});

const echo = defineFunction({ name: "test.echo", version: "1.0.0", arguments: {}, result: {} });
const echoServer = (): ForrstServer =>
  createServer({ service: "a", limits: { maxBodyBytes: 1_000 } }).implement(echo, (args) => args);

async function callEcho({ url }: StartedTransport, args: unknown): Promise<unknown> {
  const client = createClient({ url, service: "tests" });
  return await client.call(echo, args).finally(() => client.close());
}

test("a body that Express has parsed is refused with a word on how to mend it; its bytes or text will do", async () => {
  await using parsed = await startExpress(echoServer(), express.json());
  const error = await callEcho(parsed, { a: 1 }).catch((reason: unknown) => reason);
  assert.ok(isRpcError(error));
  assert.deepEqual([error.code, error.status], ["E_RPC_BODY_CONSUMED", 500]);
  assert.match(error.hint ?? "", /before body parsers/);
  for (const read of [express.raw({ type: "*/*" }), express.text({ type: "*/*" })]) {
    await using bytes = await startExpress(echoServer(), read);
    assert.deepEqual(await callEcho(bytes, { a: "ü" }), { a: "ü" });
    await assert.rejects(callEcho(bytes, { a: "x".repeat(2_000) }), { code: "INVALID_REQUEST", status: 413 });
  }
});

test("other routes of a Fastify app keep their bodies", async () => {
  const app = fastify();
  app.post("/own", async (request) => request.body);
  await app.register(createFastifyPlugin(echoServer(), "/forrst"));
  const answer = await app.inject({ method: "POST", url: "/own", payload: { a: 1 } });
  assert.deepEqual(answer.json(), { a: 1 });
  await app.close();
});

test("Hono on another runtime is refused with what to use", () => {
  assert.throws(() => createHonoHandler(echoServer())({ env: {} }), { code: "E_RPC_OPTIONS" });
});
