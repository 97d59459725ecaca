import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer as createHttpServer, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import type { TunnelError } from "../index.ts";
import { echo, type ListeningServer, listen, offer, startWorld, text, type World } from "./tunnel-world.ts";

const mebibyte = 1024 * 1024;

async function failureOf(pipe: Duplex): Promise<TunnelError> {
  const [error] = (await once(pipe, "error")) as [TunnelError];
  return error;
}

/** A pipe, and the socket that it reached in the developer's service. */
async function joined(world: World): Promise<{ pipe: Duplex; local: Socket; service: ListeningServer }> {
  const { promise, resolve } = deferred<Socket>();
  const service = await offer(world, resolve);
  const pipe = await world.connect(service.port);
  return { pipe, local: await promise, service };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test("bytes come back from the developer's service, on 127.0.0.1 or on ::1 alone", async () => {
  await using world = await startWorld();
  for (const host of ["127.0.0.1", "::1"]) {
    const service = await offer(world, echo, host);
    const pipe = await world.connect(service.port);
    pipe.end("through three hops");
    assert.equal(await text(pipe), "through three hops");
    await service.close();
  }
});

/** Writes random bytes piece by piece as they are taken, and tells how far it is. */
function send(sink: NodeJS.WritableStream, bytes: number): { taken: number; hash: Promise<string> } {
  const progress = { taken: 0, hash: Promise.resolve("") };
  const run = async (): Promise<string> => {
    const hash = createHash("sha256");
    for (; progress.taken < bytes; progress.taken += 65_536) {
      const piece = randomBytes(65_536);
      hash.update(piece);
      if (!sink.write(piece)) await once(sink, "drain");
    }
    sink.end();
    return hash.digest("hex");
  };
  progress.hash = run();
  return progress;
}

async function hashOf(source: Duplex): Promise<string> {
  const hash = createHash("sha256");
  source.on("data", (piece: Buffer) => hash.update(piece));
  await once(source, "end");
  return hash.digest("hex");
}

test("a reader that does not read holds the sender back, other streams go on, and every byte arrives both ways", async () => {
  await using world = await startWorld();
  const bytes = 48 * mebibyte;
  const { pipe, local, service } = await joined(world);
  const fence = await offer(world, echo);
  const other = await world.connect(fence.port);
  const down = send(local, bytes);
  // As long as a byte moves anywhere, it has moved within some round trips of another stream.
  for (let before = -1; before !== down.taken; ) {
    before = down.taken;
    for (let trip = 0; trip < 20; trip += 1) {
      other.write("x");
      await once(other, "data");
    }
  }
  assert.ok(down.taken < bytes / 2, `${down.taken} bytes were taken for a reader that read none`);
  const up = send(pipe, 10 * mebibyte);
  const [atAgent, atService] = await Promise.all([hashOf(pipe), hashOf(local)]);
  assert.equal(atAgent, await down.hash);
  assert.equal(atService, await up.hash);
  other.destroy();
  await Promise.all([service.close(), fence.close()]);
});

test("either side can end its direction and still be answered", async () => {
  await using world = await startWorld();
  const { pipe, local, service } = await joined(world);
  pipe.end("question");
  assert.equal(await text(local), "question");
  local.end("answer after the end");
  assert.equal(await text(pipe), "answer after the end");

  const second = await joined(world);
  second.local.end("said all");
  assert.equal(await text(second.pipe), "said all");
  second.pipe.end("and was told more");
  assert.equal(await text(second.local), "and was told more");
  await Promise.all([service.close(), second.service.close()]);
});

test("a reset of the developer's service is no clean end for the agent", async () => {
  await using world = await startWorld();
  const { pipe, local, service } = await joined(world);
  pipe.write("x");
  await once(local, "data");
  const failure = failureOf(pipe.resume());
  pipe.once("end", () => assert.fail("a reset looked like an end"));
  local.resetAndDestroy();
  assert.equal((await failure).code, "E_TUNNEL_RESET");
  await service.close();
});

test("an error of the agent resets the developer's connection, letting go of it closes it", async () => {
  await using world = await startWorld();
  const broken = await joined(world);
  broken.pipe.on("error", () => {}).destroy(new Error("client went away"));
  const [error] = await once(broken.local, "error");
  assert.equal(error.code, "ECONNRESET");

  const released = await joined(world);
  released.pipe.destroy();
  released.local.once("error", (unexpected) => assert.fail(unexpected));
  await once(released.local.resume(), "end");
  await Promise.all([broken.service.close(), released.service.close()]);
});

test("200 streams run side by side on one connection", async () => {
  await using world = await startWorld();
  const service = await offer(world, echo);
  const pipes = await Promise.all(Array.from({ length: 200 }, () => world.connect(service.port)));
  const answers = pipes.map((pipe, index) => {
    pipe.end(`${index}:`.repeat(5_000));
    return text(pipe);
  });
  for (const [index, answer] of (await Promise.all(answers)).entries()) {
    assert.equal(answer, `${index}:`.repeat(5_000));
  }
  await service.close();
});

test("http.Agent keeps a pipe between requests, and drops one that the developer's service has ended", async () => {
  await using world = await startWorld();
  let connections = 0;
  const http = createHttpServer({ keepAliveTimeout: 60_000 }, (asked, answer) => {
    answer.setHeader("x-connection", String(connections));
    asked.pipe(answer);
  });
  http.on("connection", () => {
    connections += 1;
  });
  const service = await listen(http);
  world.facts.offered.add(service.port);
  await world.connected();
  const pipes: Duplex[] = [];
  const agent = new Agent({ keepAlive: true, timeout: 30_000 });
  agent.createConnection = (_options, done) => {
    void world.connect(service.port).then((pipe) => {
      pipe.allowHalfOpen = false;
      pipes.push(pipe);
      done?.(null, pipe);
    });
    return undefined;
  };
  const ask = async (body: string): Promise<string> => {
    const asked = request({ agent, method: "POST", timeout: 5_000, host: "orders" }).end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return `${await text(answer)} on ${answer.headers["x-connection"]}`;
  };
  assert.equal(await ask("first"), "first on 1");
  assert.equal(await ask("second"), "second on 1");
  http.closeIdleConnections();
  await once(pipes[0] as Duplex, "close");
  assert.equal(await ask("third"), "third on 2");
  agent.destroy();
  await service.close();
});
