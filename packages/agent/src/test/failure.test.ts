import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort, until } from "@clew/testing";
import { createRelay, sniffHttp2, startTunnel } from "@clew/tunnel";
import { startAgent } from "../start-agent.ts";
import { ask, createLog, createOverride, keyed, portOf, startFixture } from "./agent-fixture.ts";

test("with no manager at all the live service answers everything, and the log says so once (I2)", async () => {
  const manager = { url: `http://127.0.0.1:${await freePort()}` };
  await using fixture = await startFixture({ manager, log: createLog().log });
  const { log, logged } = createLog();
  const agent = await startAgent({
    service: "orders",
    ports: { http: portOf(fixture.live) },
    env: {},
    manager,
    log,
  });
  await until(() => logged.some((line) => line.event === "agent.manager_lost"));
  assert.equal((await ask(agent.ports["http"]?.port ?? 0, keyed)).by, "live");
  await agent.close();
  const lost = logged.filter((line) => line.event === "agent.manager_lost");
  assert.equal(lost.length, 1);
  assert.match(lost[0]?.msg ?? "", /live service answers everything/);
});

test("when the manager is gone the last table stays in use, and a new one is taken over when it is back (I2)", async () => {
  await using fixture = await startFixture();
  const { manager, port, logged } = fixture;
  manager.publish({ overrides: [createOverride(fixture.mine)] });
  await until(async () => (await ask(port, keyed)).by === "mine");
  await manager.stop();
  await until(() => logged.some((line) => line.event === "agent.manager_lost"));
  assert.equal((await ask(port, keyed)).by, "mine");
  manager.publish({ overrides: [] });
  await manager.start();
  await until(async () => (await ask(port, keyed)).by === "live");
});

test("an override whose machine refuses connections: the live service answers, and the report names the failure (I3)", async () => {
  await using fixture = await startFixture();
  const { manager, port } = fixture;
  fixture.mine.refuse();
  manager.publish({ overrides: [createOverride(fixture.mine)] });
  const explained = { baggage: "clew-route=mine,clew-explain=n1", "content-length": 0 };
  const answer = await until(async () => {
    const got = await ask(port, explained, "/", "POST");
    return /fallback/.test(String(got.headers["clew-decision"])) && got;
  });
  assert.deepEqual([answer.by, answer.status], ["live", 200]);
  const report = await until(() => manager.reports.find(({ fallback }) => fallback !== undefined));
  assert.equal(report.destination, "override");
  assert.match(report.fallback ?? "", /^E_/);
});

test("an override that is to fail rather than fall back: 502, naming it, its owner and the way out", async () => {
  await using fixture = await startFixture();
  fixture.mine.refuse();
  fixture.manager.publish({ overrides: [createOverride(fixture.mine, { onFailure: "error" })] });
  const answer = await until(async () => {
    const got = await ask(fixture.port, keyed);
    return got.status === 502 && got;
  });
  assert.equal(answer.headers["clew-error"], "E_OVERRIDE_FAILED");
  const body = JSON.parse(answer.body);
  assert.deepEqual(body.override, { id: "o1", route: "mine", service: "orders", port: "http", owner: "ann" });
  assert.match(body.hint, /clew leave orders --route mine/);
  assert.equal(answer.headers["clew-decision"], undefined);
  const explained = await ask(fixture.port, { baggage: "clew-route=mine,clew-explain=n" });
  assert.match(String(explained.headers["clew-decision"]), /^override;.*reason=route/);
  assert.equal((await ask(fixture.port)).by, "live", "requests without the key do not notice");
});

test("an override whose address cannot be dialled counts as out of reach", async () => {
  await using fixture = await startFixture();
  const target = { kind: "address", url: "https://127.0.0.1:1" } as const;
  fixture.manager.publish({ overrides: [createOverride(target, { onFailure: "error" })] });
  const answer = await until(async () => {
    const got = await ask(fixture.port, keyed);
    return got.status === 502 && got;
  });
  assert.equal(JSON.parse(answer.body).cause, "E_OVERRIDE_ADDRESS");
});

test("an override through a tunnel reaches the developer's port; when the session goes, the live service answers at once", async () => {
  await using fixture = await startFixture();
  const { mine, manager, port } = fixture;
  await using relay = await startRelay();
  const target = { kind: "tunnel", session: "s1", port: mine.port, relay: relay.address } as const;
  manager.publish({ overrides: [createOverride(target)] });
  const tunnel = startTunnel({
    manager: relay,
    authenticate: async () => ({ session: "s1", token: "t", epoch: 1 }),
    isOffered: () => true,
  });
  await until(async () => (await ask(port, keyed)).by === "mine", { what: "answer through the tunnel" });
  await tunnel.close({ graceMs: 0 });
  assert.equal((await ask(port, keyed)).by, "live");
});

interface TestRelay extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly address: string;
}

async function startRelay(): Promise<TestRelay> {
  const relay = createRelay({
    authenticateSession: () => "ok",
    authenticateAgent: () => true,
    isOffered: () => true,
    resolveService: () => undefined,
    onSignOfLife: () => undefined,
    onConnected: () => undefined,
    onDisconnected: () => undefined,
  });
  const http = createHttpServer();
  http.on("upgrade", (request, socket, head) => relay.handleUpgrade(request, socket, head));
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    void sniffHttp2(socket).then((protocol) => {
      if (protocol === "http2") relay.handleHttp2(socket);
      else if (protocol === "http1") http.emit("connection", socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    host: "127.0.0.1",
    port,
    address: `127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await relay.close({ graceMs: 0 });
      server.close();
      await once(server, "close");
    },
  };
}
