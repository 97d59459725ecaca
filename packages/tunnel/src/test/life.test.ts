import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { startProcess, until } from "@clew/testing";
import { startTunnel, TunnelError, type TunnelState } from "../index.ts";
import {
  echo,
  type ListeningServer,
  listen,
  offer,
  resume,
  session,
  startManagerSide,
  startWorld,
  text,
} from "./tunnel-world.ts";

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => "opened",
    (error: TunnelError) => error.code,
  );
}

test("a manager that crashed and came back on its port is found again, by developer and agent", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const cut = await world.connect(service.port);
  const broken = once(cut, "error");
  const { port } = world.manager;
  await world.manager.kill();
  assert.equal((await broken)[0].code, "E_TUNNEL_RESET");
  assert.equal(await codeOf(world.connect(service.port)), "E_TUNNEL_UNREACHABLE");
  world.manager = await startManagerSide(world.facts, {}, port);
  await world.connected();
  const pipe = await until(() => world.connect(service.port).catch(() => undefined));
  pipe.end("again");
  assert.equal(await text(pipe), "again");
  assert.ok(world.facts.epoch > 1, "the session was resumed before the new dial");
  assert.ok(world.states.some((state) => state.phase === "waiting"));
  await service.close();
});

test("a newer connection takes the session over, the older one's running streams finish, and it does not fight back", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const running = await world.connect(service.port);
  running.write("before ");
  await once(running, "readable");
  const newer = startTunnel({
    manager: { host: "127.0.0.1", port: world.manager.port },
    authenticate: () => Promise.resolve(resume(world.facts)),
    isOffered: () => true,
  });
  await until(() => newer.state.phase === "connected");
  const pipe = await world.connect(service.port);
  pipe.end("by the newer");
  assert.equal(await text(pipe), "by the newer");
  running.end("after");
  assert.equal(await text(running), "before after");
  const closed = await until(() => (world.tunnel.state.phase === "closed" ? world.tunnel.state : undefined));
  assert.match(closed.reason, /connected anew from elsewhere/);
  assert.deepEqual(
    world.facts.told.filter((what) => what !== "sign"),
    ["connected"],
  );
  await newer.close({ graceMs: 0 });
  await until(() => world.facts.told.includes("disconnected"));
  await service.close();
});

for (const side of ["developer's side", "manager"] as const) {
  test(`a ${side} that closes lets a running stream finish, and takes no new one`, async () => {
    await using world = await startWorld();
    const service = await offer(world, echo);
    const running = await world.connect(service.port);
    let over = false;
    const closing = (
      side === "manager"
        ? world.manager.relay.close({ graceMs: 4_000 })
        : world.tunnel.close({ graceMs: 4_000 })
    ).then(() => {
      over = true;
    });
    await until(() => !world.manager.relay.isConnected(session));
    assert.match(await codeOf(world.connect(service.port)), /E_TUNNEL_(DRAINING|UNREACHABLE)/);
    running.write("still ");
    await once(running, "readable");
    assert.equal(over, false);
    running.end("running");
    assert.equal(await text(running), "still running");
    await closing;
    await service.close();
  });
}

test("what does not finish within the grace is cut", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const stuck = await world.connect(service.port);
  const broken = once(stuck, "error");
  await world.tunnel.close({ graceMs: 0 });
  assert.equal((await broken)[0].code, "E_TUNNEL_RESET");
  assert.deepEqual(world.tunnel.state, { phase: "closed", reason: "closed by its owner" });
  await service.close();
});

test("a session that the manager ends loses its streams both ways, and the developer's side asks for a new one", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  world.facts.services.set("orders:http", { host: "127.0.0.1", port: service.port });
  const inward = await world.connect(service.port);
  const outward = await world.tunnel.openService("orders", "http");
  const broken = Promise.all([once(inward, "error"), once(outward, "error")]);
  world.manager.relay.disconnect(session);
  await broken;
  await until(() => world.facts.epoch === 2 && world.manager.relay.isConnected(session));
  assert.match(
    world.states.map((state) => ("reason" in state ? state.reason : "")).join(),
    /session s1 has ended/,
  );
  await service.close();
});

test("an authentication that is refused for good closes the tunnel, and any other failure is tried again", async () => {
  let attempts = 0;
  await using world = await startWorld(
    {},
    {
      authenticate: async () => {
        attempts += 1;
        if (attempts === 1) throw new Error("manager away");
        throw new TunnelError("E_SESSION_TAKEN", "the session is someone else's");
      },
    },
  );
  const closed = await until((): TunnelState | undefined =>
    world.tunnel.state.phase === "closed" ? world.tunnel.state : undefined,
  );
  assert.deepEqual(closed, { phase: "closed", reason: "the session is someone else's" });
  assert.deepEqual(
    world.states.map(({ phase }) => phase),
    ["connecting", "waiting", "connecting", "closed"],
  );
  await world.tunnel.close();
});

/** A network between developer and manager that can fall silent without closing anything. */
async function silenceable(to: number): Promise<ListeningServer & { silence(): void }> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: to, host: "127.0.0.1", noDelay: true }).on("error", () => near.destroy());
    near.pipe(far).pipe(near);
    near.on("close", () => far.destroy());
    sockets.push(near, far);
  });
  const listening = await listen(server);
  const silence = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { ...listening, silence };
}

test("a developer's machine that falls silent is refused before it is proved dead, and dead after the missed pings", async () => {
  await using world = await startWorld({ pingIntervalMs: 250, suspectAfterMs: 50, openTimeoutMs: 100 });
  await world.tunnel.close({ graceMs: 0 });
  const network = await silenceable(world.manager.port);
  const far = startTunnel({
    manager: { host: "127.0.0.1", port: network.port },
    authenticate: () => Promise.resolve(resume(world.facts)),
    isOffered: () => true,
  });
  const service = await offer(world, echo);
  const running = await world.connect(service.port);
  const broken = once(running, "error");
  network.silence();
  await until(async () => (await codeOf(world.connect(service.port))) === "E_TUNNEL_SESSION_AWAY");
  assert.ok(world.manager.relay.isConnected(session), "was refused while the connection still stood");
  assert.equal((await broken)[0].code, "E_TUNNEL_RESET");
  assert.equal(world.manager.relay.isConnected(session), false);
  assert.equal(world.facts.told.at(-1), "disconnected");
  await Promise.all([far.close({ graceMs: 0 }), network.close(), service.close()]);
});

const developer = `
  import { startTunnel } from ${JSON.stringify(new URL("../index.js", import.meta.url).href)};
  const credentials = { session: "s1", token: process.env.TOKEN, epoch: 1_000 };
  startTunnel({
    manager: { host: "127.0.0.1", port: Number(process.env.PORT) },
    authenticate: async () => credentials,
    isOffered: () => true,
    onState: ({ phase }) => console.log(phase),
  });
`;

test("a developer's process that is killed resets the agent's streams at once, with no ping needed", async () => {
  await using world = await startWorld({ pingIntervalMs: 60_000 });
  await world.tunnel.close({ graceMs: 0 });
  await using killed = await startProcess(process.execPath, ["--input-type=module", "-e", developer], {
    env: { TOKEN: world.facts.token, PORT: String(world.manager.port) },
  });
  await killed.waitForLine("connected");
  const service = await offer(world, echo);
  const pipes = await Promise.all(Array.from({ length: 20 }, () => world.connect(service.port)));
  const errors = Promise.all(pipes.map((pipe) => once(pipe, "error")));
  killed.signal("SIGKILL");
  for (const [error] of await errors) assert.equal(error.code, "E_TUNNEL_RESET");
  assert.equal(await codeOf(world.connect(service.port)), "E_TUNNEL_SESSION_AWAY");
  await service.close();
});
