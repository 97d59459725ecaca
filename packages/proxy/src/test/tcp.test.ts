import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import { freePort, type RawPeer, rawClient, startRawServer, until } from "@clew/testing";
import {
  startTcpProxy,
  type TcpLimits,
  type TcpOutcome,
  type TcpPlan,
  type TcpProxy,
  tcpUpstream,
} from "../index.ts";

interface Fixture extends AsyncDisposable {
  readonly port: number;
  readonly proxy: TcpProxy;
  readonly outcomes: readonly TcpOutcome[];
}

async function startFixture(
  to: number,
  plan: Partial<TcpPlan> = {},
  limits?: Partial<TcpLimits>,
): Promise<Fixture> {
  const outcomes: TcpOutcome[] = [];
  const proxy = await startTcpProxy({
    listen: { host: "127.0.0.1", port: 0 },
    route: () => ({
      upstream: tcpUpstream("127.0.0.1", to),
      done: (outcome) => outcomes.push(outcome),
      ...plan,
    }),
    limits,
  });
  return {
    port: proxy.address.port,
    proxy,
    outcomes,
    [Symbol.asyncDispose]: () => proxy.close({ graceMs: 0 }),
  };
}

/** Says who it is, then says again what it hears. */
const echoing =
  (name: string) =>
  (peer: RawPeer): void => {
    peer.write(`${name}:`);
    peer.socket.on("data", (bytes: Buffer) => peer.write(bytes));
    peer.socket.on("end", () => peer.end());
  };

test("what either side says arrives as it was said, whoever speaks first", async () => {
  await using server = await startRawServer(echoing("live"));
  await using fixture = await startFixture(server.port);
  await using client = await rawClient(fixture.port);
  await client.waitFor("live:");
  client.write(Buffer.from([0, 255, 13, 10]));
  const received = await client.waitFor((bytes) => bytes.length === 9);
  assert.deepEqual([...received.subarray(5)], [0, 255, 13, 10]);
  client.end();
  await client.closed;
  const [outcome] = await until(() => fixture.outcomes.length === 1 && fixture.outcomes);
  assert.deepEqual(
    [outcome?.broken, outcome?.fellBack, outcome?.bytesIn, outcome?.bytesOut],
    [undefined, false, 4, 9],
  );
});

test("an end passes on as an end: the other direction goes on (half-close), either way round", async () => {
  await using server = await startRawServer(async (peer, index) => {
    if (index === 0) {
      await peer.closed;
      peer.write("all ");
      await new Promise(setImmediate);
      peer.socket.end(`of ${peer.received}`);
    } else peer.socket.end("bye");
  });
  await using fixture = await startFixture(server.port);
  await using first = await rawClient(fixture.port);
  first.write("it");
  first.end();
  assert.equal((await first.waitFor("all of it")).toString(), "all of it");

  await using second = await rawClient(fixture.port);
  await second.closed;
  assert.equal(second.received.toString(), "bye");
  second.write("still here");
  await until(() => server.peers[1]?.received.toString() === "still here");
  second.end();
  await until(() => fixture.outcomes.length === 2);
  assert.deepEqual(
    fixture.outcomes.map(({ broken }) => broken),
    [undefined, undefined],
  );
});

test("a break passes on as a break, and says which side it was", async () => {
  await using server = await startRawServer(async (peer) => {
    peer.write("hello");
    await peer.waitFor("break");
    peer.reset();
  });
  await using fixture = await startFixture(server.port);
  await using client = await rawClient(fixture.port);
  await client.waitFor("hello");
  client.write("break");
  await client.closed;
  await until(() => fixture.outcomes[0]?.broken === "upstream");

  await using leaver = await rawClient(fixture.port);
  await leaver.waitFor("hello");
  leaver.reset();
  await server.peers[1]?.closed;
  await until(() => fixture.outcomes[1]?.broken === "client");
});

test("64 MiB both ways at once come whole, though either side reads in fits", async () => {
  await using server = await startSlowEcho();
  await using fixture = await startFixture(server.port);
  const client = connect({ port: fixture.port, host: "127.0.0.1", allowHalfOpen: true });
  const piece = randomBytes(1024 * 1024);
  const sent = createHash("sha256");
  const received = createHash("sha256");
  let bytes = 0;
  client.on("data", (data: Buffer) => {
    received.update(data);
    bytes += data.length;
    readInFits(client);
  });
  for (let count = 0; count < 64; count++) {
    sent.update(piece);
    if (!client.write(piece)) await once(client, "drain");
  }
  client.end();
  await once(client, "end");
  assert.equal(bytes, 64 * piece.length);
  assert.equal(received.digest("hex"), sent.digest("hex"));
});

test("a side that does not read stops the other: what is held stays small", async () => {
  await using server = await startRawServer((peer) => void peer.socket.pause());
  await using fixture = await startFixture(server.port);
  await using client = await rawClient(fixture.port);
  const piece = Buffer.alloc(1024 * 1024);
  while (client.socket.writableLength < 8 * piece.length) {
    client.write(piece);
    await new Promise(setImmediate);
  }
  // The kernel's buffers of two connections are a few MiB; the proxy's own would show as the rest.
  const taken = await untilSteady(() => fixture.proxy.stats.bytesIn);
  const passed = server.peers[0]?.socket.bytesRead ?? 0;
  assert.ok(client.socket.writableLength > 0, "the client is asked to wait");
  assert.ok(taken - passed < 16 * piece.length, `${taken} bytes were taken, ${passed} were read`);
});

test("an upstream that cannot be reached costs nobody a connection: the fallback has it (I3)", async () => {
  await using live = await startRawServer(echoing("live"));
  const fallback = tcpUpstream("127.0.0.1", live.port);
  await using fixture = await startFixture(await freePort(), { fallback });
  await using client = await rawClient(fixture.port);
  client.write("x");
  await client.waitFor("live:x");
  client.end();
  await client.closed;
  const outcome = await until(() => fixture.outcomes[0]);
  assert.deepEqual([outcome.fellBack, outcome.failure?.code], [true, "E_UPSTREAM_UNREACHABLE"]);
  assert.equal(fixture.proxy.stats.fallbacks, 1);
});

for (const [how, leave] of [
  ["ends", (socket: Socket) => socket.destroy()],
  ["breaks off", (socket: Socket) => socket.resetAndDestroy()],
] as const) {
  test(`an upstream that takes the connection and ${how} before a byte passed has not had it`, async () => {
    await using mine = await startRawServer(({ socket }) => void leave(socket));
    await using live = await startRawServer(echoing("live"));
    await using fixture = await startFixture(mine.port, { fallback: tcpUpstream("127.0.0.1", live.port) });
    await using client = await rawClient(fixture.port);
    await client.waitFor("live:");
    client.write("x");
    await client.waitFor("live:x");
    assert.equal(fixture.proxy.stats.fallbacks, 1);
  });
}

test("a client that ends in the moment in which the upstream does is still passed on: no connection is forgotten", async () => {
  await using mine = await startRawServer((peer) => void peer.end());
  await using live = await startRawServer(echoing("live"));
  await using fixture = await startFixture(mine.port, { fallback: tcpUpstream("127.0.0.1", live.port) });
  const count = 300;
  for (let opened = 0; opened < count; opened += 20) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => rawClient(fixture.port)));
    for (const client of clients) client.end();
    await Promise.all(clients.map((client) => client.closed));
  }
  await until(() => fixture.outcomes.length === count, { what: "every connection is over" });
  assert.equal(fixture.proxy.stats.connectionsOpen, 0);
});

test("once a byte has passed nothing leads back: what breaks off breaks off", async () => {
  await using mine = await startRawServer(async (peer) => {
    await peer.waitFor("x");
    peer.reset();
  });
  await using live = await startRawServer(echoing("live"));
  await using fixture = await startFixture(mine.port, { fallback: tcpUpstream("127.0.0.1", live.port) });
  await using client = await rawClient(fixture.port);
  client.write("x");
  await client.closed;
  assert.equal(client.received.length, 0);
  const outcome = await until(() => fixture.outcomes[0]);
  assert.deepEqual([outcome.broken, outcome.fellBack], ["upstream", false]);
  assert.equal(live.peers.length, 0);
});

test("with nobody to take it a connection is broken off", async () => {
  await using fixture = await startFixture(await freePort());
  await using client = await rawClient(fixture.port);
  await client.closed;
  const outcome = await until(() => fixture.outcomes[0]);
  assert.deepEqual([outcome.broken, outcome.failure?.stage], ["unreachable", "connect"]);
});

test("a group's connections are cut together, and nobody else's", async () => {
  await using server = await startRawServer(echoing("live"));
  let group = "a";
  const plan = {
    get group() {
      return group;
    },
  };
  await using fixture = await startFixture(server.port, plan);
  await using one = await rawClient(fixture.port);
  await using two = await rawClient(fixture.port);
  await Promise.all([one.waitFor("live:"), two.waitFor("live:")]);
  group = "b";
  await using other = await rawClient(fixture.port);
  await other.waitFor("live:");
  assert.equal(fixture.proxy.cut("a"), 2);
  await Promise.all([one.closed, two.closed]);
  assert.deepEqual(
    fixture.outcomes.map(({ broken }) => broken),
    ["cut", "cut"],
  );
  other.write("on");
  await other.waitFor("live:on");
  assert.equal(fixture.proxy.stats.connectionsOpen, 1);
});

test("a connection on which nothing passes is broken off at its limit; one that is used is not", async () => {
  await using server = await startRawServer(echoing("live"));
  await using fixture = await startFixture(server.port, {}, { idleTimeoutMs: 200 });
  await using used = await rawClient(fixture.port);
  await using idle = await rawClient(fixture.port);
  let isIdleOver = false;
  void idle.closed.then(() => {
    isIdleOver = true;
  });
  await until(() => {
    used.write(".");
    return isIdleOver;
  });
  assert.deepEqual(
    fixture.outcomes.map(({ broken }) => broken),
    ["idle"],
  );
  used.write("end");
  await used.waitFor("end");
});

test("closing lets a connection that runs come to its end, takes no new one, and cuts what is left", async () => {
  await using server = await startRawServer(echoing("live"));
  await using fixture = await startFixture(server.port);
  await using finishing = await rawClient(fixture.port);
  await using staying = await rawClient(fixture.port);
  await Promise.all([finishing.waitFor("live:"), staying.waitFor("live:")]);
  const closed = fixture.proxy.close({ graceMs: 400 });
  await assert.rejects(rawClient(fixture.port), { code: "ECONNREFUSED" });
  finishing.write("last");
  await finishing.waitFor("live:last");
  finishing.end();
  await closed;
  await staying.closed;
  assert.deepEqual(
    fixture.outcomes.map(({ broken }) => broken),
    [undefined, "drained"],
  );
});

test("connections past the limit are closed at once and counted", async () => {
  await using server = await startRawServer(echoing("live"));
  await using fixture = await startFixture(server.port, {}, { maxConnections: 1 });
  await using first = await rawClient(fixture.port);
  await first.waitFor("live:");
  await using second = await rawClient(fixture.port);
  await second.closed;
  assert.equal(fixture.proxy.stats.connectionsRefused, 1);
});

test("an address that is taken is refused by name", async () => {
  await using server = await startRawServer(() => {});
  await assert.rejects(
    startTcpProxy({
      listen: { host: "127.0.0.1", port: server.port },
      route: () => ({ upstream: tcpUpstream("127.0.0.1", 1) }),
    }),
    { code: "E_LISTEN", message: new RegExp(`127.0.0.1:${server.port}`) },
  );
});

/** Echoes, and reads in fits. */
async function startSlowEcho(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
    socket.on("data", () => readInFits(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

/** Now and then looks away for a turn of the loop. */
function readInFits(socket: Socket): void {
  if (socket.bytesRead % 7 !== 0) return;
  socket.pause();
  setImmediate(() => socket.resume());
}

async function untilSteady(read: () => number): Promise<number> {
  let last = -1;
  return until(() => {
    const now = read();
    const isSteady = now === last && now > 0;
    last = now;
    return isSteady && now;
  });
}
