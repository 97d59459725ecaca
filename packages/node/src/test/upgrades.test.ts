// WebSockets and event streams: the context travels with the request that opens the connection, both ways.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { context } from "@clew/context";
import { WebSocket, WebSocketServer } from "ws";
import { register } from "../api.ts";
import { contextHeaders } from "./context-headers.ts";
import { runScript } from "./run-script.ts";

const registration = register({ service: "test", warnMissing: false });
after(() => registration.disable());

/** Answers each message with the tenant that is ambient, then and after some waiting. */
async function startWebSocketServer(): Promise<
  AsyncDisposable & { url: string; upgrades: IncomingMessage[] }
> {
  const upgrades: IncomingMessage[] = [];
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
  server.on("connection", (socket, request) => {
    upgrades.push(request);
    socket.on("message", async () => {
      const before = context.get("tenant_id");
      await new Promise(setImmediate);
      socket.send(`${before} ${context.get("tenant_id")}`);
    });
    socket.on("close", () => socket.terminate());
  });
  await once(server, "listening");
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    upgrades,
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("ws: each connection's messages are in the scope of the request that opened it, however often they come", async () => {
  await using server = await startWebSocketServer();
  const clients = ["a", "b"].map((tenant_id) =>
    context.with({ tenant_id }, () => new WebSocket(server.url, { perMessageDeflate: true })),
  );
  await Promise.all(clients.map((client) => once(client, "open")));
  for (const round of [1, 2]) {
    const answers = await Promise.all(
      clients.map((client) => {
        const answer = once(client, "message");
        client.send("x".repeat(5_000 * round));
        return answer;
      }),
    );
    assert.deepEqual(
      answers.map(([data]) => String(data)),
      ["a a", "b b"],
    );
  }
  for (const client of clients) client.terminate();
  assert.deepEqual(server.upgrades.map(({ rawHeaders }) => contextHeaders(rawHeaders)["baggage"]).sort(), [
    "tenant_id=a",
    "tenant_id=b",
  ]);
});

test("ws: headers that the application sets win, and a third party gets nothing", async () => {
  await using server = await startWebSocketServer();
  const open = async (url: string, headers: Record<string, string>): Promise<void> => {
    const client = context.with({ tenant_id: "a" }, () => new WebSocket(url, { headers }));
    await once(client, "open");
    client.terminate();
  };
  await open(server.url, { Baggage: "mine=1" });
  registration.disable();
  const strict = register({ service: "test", warnMissing: false, destinations: { replace: true } });
  await open(server.url, {});
  strict.disable();
  assert.deepEqual(
    server.upgrades.map(({ rawHeaders }) => contextHeaders(rawHeaders)),
    [{ baggage: "mine=1", "x-forrst-caller": "test" }, {}],
  );
});

/** Prints what the requests carry that open the connections. They are refused, as nothing more is asked of them. */
const openAll = `
  const { context } = await import(${JSON.stringify(import.meta.resolve("@clew/context"))});
  const target = process.env.TARGET;
  if (process.env.FETCH_FIRST) await fetch(target.replace("ws:", "http:")).catch(() => {});
  for (const [tenant_id, Class] of [["a", globalThis[process.env.CLASS]], ["b", globalThis[process.env.CLASS]]]) {
    await context.with({ tenant_id }, () => new Promise((resolve) => {
      const connection = new Class(target);
      // A WebSocket that has failed is closed, an EventSource tries again.
      connection.addEventListener("error", () => { if (Class === globalThis.EventSource) connection.close(); resolve(); });
    }));
  }`;

for (const [name, flag] of [
  ["WebSocket", "--experimental-websocket"],
  ["EventSource", "--experimental-eventsource"],
] as const) {
  for (const env of [{}, { FETCH_FIRST: "1" }]) {
    const isKnown = process.allowedNodeEnvironmentFlags.has(flag) || name in globalThis;
    const when = "FETCH_FIRST" in env ? "after a fetch" : "as the first thing that uses undici";
    test(`the global ${name}, ${when}: opens its connection with the context, once`, {
      skip: isKnown ? false : "this Node has none",
    }, async () => {
      const seen: Record<string, string>[] = [];
      const server = createServer((req, res) => {
        if (req.url === "/open") seen.push(contextHeaders(req.rawHeaders));
        res.writeHead(500).end();
      });
      server.on("upgrade", (req, socket) => {
        seen.push(contextHeaders(req.rawHeaders));
        socket.end("HTTP/1.1 500 No\r\n\r\n");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const scheme = name === "WebSocket" ? "ws" : "http";
      const target = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/open`;
      const flags = process.allowedNodeEnvironmentFlags.has(flag) ? flag : "";
      const NODE_OPTIONS = `--no-warnings ${flags}`;
      await runScript(openAll, {
        env: { ...env, TARGET: target, CLASS: name, CLEW_SERVICE: "test", NODE_OPTIONS },
      });
      server.close();
      server.closeAllConnections();
      const expected = ["a", "b"].map((id) => ({ baggage: `tenant_id=${id}`, "x-forrst-caller": "test" }));
      assert.deepEqual(seen.slice(-2), expected);
    });
  }
}
