import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { freePort, type RawPeer, startRawServer, until } from "@clew/testing";
import { tcpUpstream } from "./tcp-upstream.ts";
import {
  createWiretap,
  defaultWiretapLimits,
  type Wiretap,
  type WiretapBudget,
  type WiretapLimits,
} from "./wiretap.ts";

const get = Buffer.from("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
const post = Buffer.from("POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");

interface Fixture {
  readonly tap: Wiretap;
  readonly budget: WiretapBudget;
}

function tapTo(port: number, limits: Partial<WiretapLimits> = {}, maxHeldBytes = 1e9): Fixture {
  const budget = { heldBytes: 0, maxHeldBytes };
  const upstream = tcpUpstream("127.0.0.1", port);
  return { budget, tap: createWiretap(upstream, budget, { ...defaultWiretapLimits, ...limits }) };
}

/** Answers when it has read so many bytes, and closes as it was asked to. */
const answeringAfter =
  (text: string) =>
  async (peer: RawPeer): Promise<void> => {
    await peer.waitFor(text);
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    peer.end();
  };

test("a copy is the request as it was sent, but that its connection ends with it", async () => {
  await using server = await startRawServer(answeringAfter("0123456789"));
  const { tap, budget } = tapTo(server.port);
  const copy = tap.open(post);
  const body = Buffer.from("01234");
  copy?.write(body);
  body.fill("x");
  copy?.write(Buffer.from("56789"));
  copy?.end();
  await until(() => tap.stats.copied === 1);
  const received = await server.peers[0]?.waitFor("56789");
  assert.equal(
    received?.toString(),
    "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789",
  );
  await server.peers[0]?.closed;
  assert.deepEqual([budget.heldBytes, tap.stats.dropped], [0, 0]);
});

test("a tap that nobody listens at drops, says so, and is not dialled again for a while", async () => {
  const port = await freePort();
  const { tap, budget } = tapTo(port, { retryAfterMs: 3_600_000 });
  tap.open(get)?.end();
  await until(() => tap.stats.dropped === 1);
  assert.equal(tap.open(get), undefined);
  assert.deepEqual({ ...tap.stats }, { copied: 0, dropped: 2, lastDrop: "unreachable" });
  assert.equal(budget.heldBytes, 0);
});

test("a tap that comes back gets copies again", async () => {
  const port = await freePort();
  const { tap } = tapTo(port, { retryAfterMs: 0 });
  tap.open(get)?.end();
  await until(() => tap.stats.dropped === 1);
  const server = createServer((socket) => socket.resume().on("error", () => {})).listen(port, "127.0.0.1");
  await until(() => server.listening);
  tap.open(get)?.end();
  await until(() => tap.stats.copied === 1);
  tap.close();
  server.close();
});

test("a tap that does not read holds no more than its limit: the copy is dropped, and its memory free", async () => {
  await using server = await startRawServer(({ socket }) => void socket.pause());
  const { tap, budget } = tapTo(server.port, { maxHeldBytes: 100_000 });
  const copy = tap.open(post);
  const piece = Buffer.alloc(10_000);
  let most = 0;
  await until(() => {
    copy?.write(piece);
    most = Math.max(most, budget.heldBytes);
    return tap.stats.dropped === 1;
  });
  assert.equal(tap.stats.lastDrop, "slow");
  assert.ok(most <= 100_000, `${most} bytes were held`);
  assert.equal(budget.heldBytes, 0);
  copy?.write(piece);
  copy?.end();
  server.peers[0]?.socket.resume();
  await server.peers[0]?.closed;
  assert.deepEqual([tap.stats.copied, tap.stats.dropped], [0, 1]);
});

test("several taps together hold no more than the budget", async () => {
  await using server = await startRawServer(({ socket }) => void socket.pause());
  const budget = { heldBytes: 0, maxHeldBytes: 50_000 };
  const upstream = tcpUpstream("127.0.0.1", server.port);
  const taps = [createWiretap(upstream, budget), createWiretap(upstream, budget)];
  const copies = taps.map((tap) => tap.open(post));
  // Before a connection stands nothing leaves.
  for (let count = 0; count < 4; count++) for (const copy of copies) copy?.write(Buffer.alloc(10_000));
  assert.ok(budget.heldBytes <= 50_000);
  assert.ok(taps.some(({ stats }) => stats.lastDrop === "slow"));
  for (const tap of taps) tap.close();
  assert.equal(budget.heldBytes, 0);
});

test("more copies at once than the limit are dropped, and places are free again with the answers", async () => {
  await using server = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
  });
  const { tap } = tapTo(server.port, { maxCopies: 2 });
  tap.open(get)?.end();
  tap.open(get)?.end();
  assert.equal(tap.open(get), undefined);
  assert.equal(tap.stats.lastDrop, "busy");
  await until(() => tap.stats.copied === 2);
  assert.equal(tap.open(get), undefined, "their answers are still to come");
  for (const peer of server.peers) peer.end();
  await until(() => {
    const copy = tap.open(get);
    copy?.end();
    return copy;
  });
  await until(() => tap.stats.copied === 3);
  tap.close();
});

test("an answer that does not end is not waited for for ever", async () => {
  await using server = await startRawServer(() => {});
  const { tap } = tapTo(server.port, { answerTimeoutMs: 20, maxCopies: 1 });
  tap.open(get)?.end();
  await until(() => tap.stats.copied === 1);
  await server.peers[0]?.closed;
  await until(() => tap.open(get));
  tap.close();
});

test("a tap that breaks off in the middle loses this copy; a request that does so takes its copy with it", async () => {
  await using server = await startRawServer(async (peer, index) => {
    await peer.waitFor("\r\n\r\n");
    if (index === 0) peer.reset();
  });
  const { tap, budget } = tapTo(server.port);
  const first = tap.open(post);
  await until(() => {
    first?.write(Buffer.from("."));
    return tap.stats.dropped === 1;
  });
  assert.equal(tap.stats.lastDrop, "broken");

  const second = tap.open(post);
  await until(() => server.peers.length === 2);
  second?.abort();
  await server.peers[1]?.closed;
  assert.deepEqual([tap.stats.copied, tap.stats.dropped, budget.heldBytes], [0, 1, 0]);
});

test("an answer before the whole request was sent is no loss", async () => {
  await using server = await startRawServer(answeringAfter("\r\n\r\n"));
  const { tap } = tapTo(server.port);
  const copy = tap.open(post);
  await until(() => tap.stats.copied === 1);
  copy?.write(Buffer.from("late"));
  copy?.end();
  assert.deepEqual([tap.stats.copied, tap.stats.dropped], [1, 0]);
});

test("closing ends what is under way and takes no more", async () => {
  await using server = await startRawServer(() => {});
  const { tap } = tapTo(server.port);
  tap.open(post);
  await until(() => server.peers.length === 1);
  tap.close();
  await server.peers[0]?.closed;
  assert.equal(tap.open(get), undefined);
  assert.equal(tap.stats.dropped, 0);
});
