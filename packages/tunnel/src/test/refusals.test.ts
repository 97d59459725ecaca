import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import { freePort } from "@clew/testing";
import { createSessionDialer, TunnelError } from "../index.ts";
import { echo, listen, offer, session, startService, startWorld, text, type World } from "./tunnel-world.ts";

async function codeOf(attempt: Promise<Duplex>): Promise<string> {
  try {
    (await attempt).destroy();
  } catch (error) {
    if (error instanceof TunnelError) return error.code;
    throw error;
  }
  return "opened";
}

test("each reason to refuse a stream reaches the agent as its own code", async () => {
  await using world = await startWorld({ maxStreamsPerSession: 1 });
  const service = await offer(world, echo);
  const signal = AbortSignal.timeout(4_000);
  const to = (name: string, port: number) =>
    codeOf(world.dialer.connect({ relay: world.manager.address, session: name, port }, signal));
  const closedPort = await freePort();
  world.facts.offered.add(closedPort);
  world.facts.known.add("asleep");
  assert.equal(await to("nobody", service.port), "E_TUNNEL_NO_SESSION");
  assert.equal(await to("asleep", service.port), "E_TUNNEL_SESSION_AWAY");
  assert.equal(await to(session, 1), "E_TUNNEL_PORT_NOT_OFFERED");
  assert.equal(await to(session, 70_000), "E_TUNNEL_PROTOCOL");
  assert.equal(await to(session, closedPort), "E_TUNNEL_PORT_CLOSED");

  const running = await world.connect(service.port);
  assert.equal(await to(session, service.port), "E_TUNNEL_STREAMS");
  const closing = world.tunnel.close({ graceMs: 4_000 });
  // The goodbye and the stream that asks go through different connections: whichever comes first, it is refused.
  assert.match(await to(session, service.port), /E_TUNNEL_(DRAINING|STREAMS)/);
  running.end();
  await text(running);
  await closing;
  assert.equal(await to(session, service.port), "E_TUNNEL_SESSION_AWAY");
  await service.close();
});

test("an agent without the manager's token is refused", async () => {
  await using world = await startWorld();
  for (const token of [undefined, "guessed"]) {
    const dialer = createSessionDialer({ agent: "stranger", token });
    const target = { relay: world.manager.address, session, port: 1 };
    assert.equal(
      await codeOf(dialer.connect(target, AbortSignal.timeout(4_000))),
      "E_TUNNEL_UNAUTHENTICATED",
    );
    dialer.close();
    assert.equal(await codeOf(dialer.connect(target, AbortSignal.timeout(4_000))), "E_TUNNEL_CLOSED");
  }
});

test("a relay that is not there is refused at once while it is held off, and found again after that", async () => {
  await using world = await startWorld({ minBackoffMs: 30 });
  const service = await offer(world, echo);
  const port = await freePort();
  const to = (address: string) =>
    world.dialer.connect({ relay: address, session, port: service.port }, AbortSignal.timeout(4_000));
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(to(`127.0.0.1:${port}`))));
  assert.deepEqual(new Set(codes), new Set(["E_TUNNEL_UNREACHABLE"]));
  const forwarder = await listen(
    createServer((socket) => socket.pipe(connect(world.manager.port, "127.0.0.1")).pipe(socket)),
    port,
  );
  for (;;) {
    const code = await codeOf(to(`127.0.0.1:${port}`));
    if (code === "opened") break;
    assert.equal(code, "E_TUNNEL_UNREACHABLE");
  }
  await Promise.all([forwarder.close(), service.close()]);
});

test("something that is no relay is refused after the dial limit, or when it speaks", async () => {
  const silent = await startService(() => {});
  const foreign = await startService((socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  const dialer = createSessionDialer({ agent: "orders", limits: { dialTimeoutMs: 50 } });
  for (const { port } of [silent, foreign]) {
    const target = { relay: `127.0.0.1:${port}`, session, port: 1 };
    assert.equal(await codeOf(dialer.connect(target, AbortSignal.timeout(4_000))), "E_TUNNEL_UNREACHABLE");
  }
  assert.equal(
    await codeOf(dialer.connect({ relay: "no-port", session, port: 1 }, AbortSignal.timeout(4_000))),
    "E_TUNNEL_PROTOCOL",
  );
  dialer.close();
  await Promise.all([silent.close(), foreign.close()]);
});

test("a caller who gives up gets its own reason, and the dial goes on for the others", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const impatient = new AbortController();
  const given = world.connect(service.port, impatient.signal);
  const other = world.connect(service.port);
  impatient.abort(new Error("too slow for me"));
  await assert.rejects(given, /too slow for me/);
  (await other).destroy();
  await service.close();
});

test("thousands of refusals in a row do not cost the agent its connection", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const kept = await world.connect(service.port);
  for (let round = 0; round < 25; round += 1) {
    const codes = await Promise.all(Array.from({ length: 100 }, () => codeOf(world.connect(1))));
    assert.deepEqual(new Set(codes), new Set(["E_TUNNEL_PORT_NOT_OFFERED"]));
  }
  kept.end("still here");
  assert.equal(await text(kept), "still here");
  await service.close();
});

// Node 20 has no option for it, and ends a connection whose client resets more than 1,000 streams in a burst.
const hasResetLimit = Number(process.versions.node.split(".")[0]) >= 24;

test("1,500 broken streams in a row do not cost the agent its connection", {
  skip: !hasResetLimit,
}, async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const kept = await world.connect(service.port);
  for (let round = 0; round < 15; round += 1) {
    const pipes = await Promise.all(Array.from({ length: 100 }, () => world.connect(service.port)));
    for (const pipe of pipes) pipe.destroy();
    await Promise.all(pipes.map((pipe) => once(pipe, "close")));
  }
  kept.end("still here");
  assert.equal(await text(kept), "still here");
  await service.close();
});

/** What the relay answers to a handshake, as a developer's side of another make would send it. */
async function handshake(world: World, headers: Record<string, string>): Promise<string> {
  const socket = connect(world.manager.port, "127.0.0.1");
  const lines = Object.entries({ host: "m", connection: "Upgrade", upgrade: "clew-tunnel/1", ...headers });
  socket.write(`GET /clew-tunnel HTTP/1.1\r\n${lines.map((line) => `${line.join(": ")}\r\n`).join("")}\r\n`);
  const [head] = await once(socket, "data");
  socket.destroy();
  return String(head);
}

test("each reason to refuse an in connection has its status and a body that says what to do", async () => {
  await using world = await startWorld();
  await world.connected();
  const right = { "clew-session": session, "clew-token": world.facts.token, "clew-epoch": "1" };
  const cases: [Record<string, string>, number, string][] = [
    [{}, 401, "E_TUNNEL_UNAUTHENTICATED"],
    [{ ...right, "clew-epoch": "-1" }, 401, "E_TUNNEL_UNAUTHENTICATED"],
    [{ ...right, "clew-token": "guessed" }, 401, "E_TUNNEL_UNAUTHENTICATED"],
    [{ ...right, "clew-session": "nobody" }, 404, "E_TUNNEL_NO_SESSION"],
    [{ ...right, "clew-epoch": "0" }, 409, "E_TUNNEL_OLD_EPOCH"],
    [{ ...right, upgrade: "clew-tunnel/2" }, 426, "E_TUNNEL_PROTOCOL"],
  ];
  for (const [headers, status, code] of cases) {
    const answer = await handshake(world, headers);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
    const body = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
    assert.equal(body.code, code);
    assert.ok(body.message.length > 10 && body.hint.length > 10);
  }
  assert.ok(world.manager.relay.isConnected(session));
});

test("a developer's own calls reach services, and are refused with a code when they cannot", async () => {
  await using world = await startWorld();
  await world.connected();
  const service = await startService(echo);
  world.facts.services.set("orders:http", { host: "127.0.0.1", port: service.port });
  world.facts.services.set("gone:http", { host: "127.0.0.1", port: await freePort() });
  const pipe = await world.tunnel.openService("orders", "http");
  pipe.end("out and back");
  assert.equal(await text(pipe), "out and back");
  assert.equal(await codeOf(world.tunnel.openService("nothing", "http")), "E_TUNNEL_NO_SERVICE");
  assert.equal(await codeOf(world.tunnel.openService("gone", "http")), "E_TUNNEL_SERVICE_UNREACHABLE");
  world.facts.epoch += 1;
  assert.equal(await codeOf(world.tunnel.openService("orders", "http")), "E_TUNNEL_OLD_EPOCH");
  await service.close();
});
