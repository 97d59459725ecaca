import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { until } from "@clew/testing";
import { createSessionDialer, type Tunnel } from "@clew/tunnel";
import { codeOf, type Fixture, startFixture } from "./manager-fixture.ts";

/** Stands for the developer's service, or for a service's agent: says back what it is told. */
async function startEcho(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer((socket) => void socket.on("error", () => {}).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

async function echoed(pipe: Duplex, text: string): Promise<string> {
  pipe.end(text);
  let back = "";
  for await (const chunk of pipe) back += chunk;
  return back;
}

/** A session whose tunnel stands, with an override that sends pricing's requests to the developer's port. */
async function intercept(
  fixture: Fixture,
  port: number,
): Promise<{ session: string; relay: string; tunnel: Tunnel }> {
  const { client } = fixture;
  const grant = await client.sessions.open({ owner: "alice", host: "laptop" });
  const target = { kind: "tunnel", port } as const;
  const { override } = await client.overrides.put({
    ...grant,
    override: { route: "blue", service: "pricing", target },
  });
  const tunnel = fixture.dial(grant);
  await until(() => tunnel.state.phase === "connected", { what: "the tunnel stands" });
  assert.ok(override.target.kind === "tunnel");
  return { session: grant.session, relay: override.target.relay, tunnel };
}

test("on the manager's one port an agent reaches the ports that a session's overrides name, and no others", async () => {
  await using echo = await startEcho();
  await using fixture = await startFixture({ token: "secret" });
  await fixture.watch("pricing");
  const { session, relay } = await intercept(fixture, echo.port);
  const agent = createSessionDialer({ token: "secret", agent: "agent" });
  const reach = (port: number) => agent.connect({ relay, session, port }, AbortSignal.timeout(5_000));
  assert.equal(await echoed(await reach(echo.port), "hello"), "hello");
  assert.equal(await codeOf(reach(echo.port + 1)), "E_TUNNEL_PORT_NOT_OFFERED");
  agent.close();

  const stranger = createSessionDialer({ token: "wrong", agent: "stranger" });
  const refused = stranger.connect({ relay, session, port: echo.port }, AbortSignal.timeout(5_000));
  assert.equal(await codeOf(refused), "E_TUNNEL_UNAUTHENTICATED");
  stranger.close();
});

test("a developer's own calls reach the agents of services that the manager knows", async () => {
  await using echo = await startEcho();
  await using fixture = await startFixture();
  await fixture.watch("pricing");
  const { tunnel } = await intercept(fixture, 4005);
  const watching = new AbortController();
  const ports = { http: { address: `127.0.0.1:${echo.port}`, protocol: "auto" } } as const;
  const events = fixture.client.tables.watch(
    { service: "orders", agent: { id: "a", ports, env: {} } },
    { signal: watching.signal },
  );
  await events[Symbol.asyncIterator]().next();
  assert.equal(await echoed(await tunnel.openService("orders", "http"), "hello"), "hello");
  assert.equal(await codeOf(tunnel.openService("nobody", "http")), "E_TUNNEL_NO_SERVICE");
  watching.abort();
});

test("a client that ends its side after the request still gets the answer", async () => {
  await using fixture = await startFixture();
  const { port, host } = fixture.manager.address;
  const socket = connect({ port, host, allowHalfOpen: true });
  assert.match(
    await echoed(socket, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    /^HTTP\/1\.1 200 /,
  );
});
