import assert from "node:assert/strict";
import { test } from "node:test";
import { type RawPeer, type RawServer, rawClient, rawExchange, startRawServer, until } from "@clew/testing";
import type { AgentOptions } from "../agent-options.ts";
import { createOverride, type Fixture, startFixture } from "./agent-fixture.ts";

const get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const keyedGet = get.replace("Connection", "Baggage: clew-route=mine\r\nConnection");
/** Other waits are long by default, and the clock that looks after all of them is as coarse as they are. */
const fineClock = { clientIdleTimeoutMs: 40 };

async function startBefore(live: RawServer, options: Partial<AgentOptions>): Promise<Fixture> {
  const port = { host: "127.0.0.1", port: live.port };
  return startFixture({
    ports: { http: { listen: { host: "127.0.0.1", port: 0 }, upstream: port, protocol: "auto" } },
    proxyLimits: fineClock,
    ...options,
  });
}

const silent = (): Promise<RawServer> => startRawServer(() => {});

const half = async (peer: RawPeer): Promise<void> => {
  await peer.waitFor("\r\n\r\n");
  peer.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
};

test("a live service that gives no answer in its time: 504, and its connection is ended", async () => {
  await using live = await silent();
  await using fixture = await startBefore(live, { answerLimits: { answerTimeoutMs: 20 } });
  const answer = (await rawExchange(fixture.port, get)).toString();
  assert.match(answer, /^HTTP\/1.1 504 .*\r\nclew-error: E_ANSWER_TIMEOUT\r\n.* within 20 ms/s);
  await live.peers[0]?.closed;
});

test("a live service that falls silent in its answer's middle: the answer is broken off", async () => {
  await using live = await startRawServer(half);
  await using fixture = await startBefore(live, { answerLimits: { answerIdleTimeoutMs: 20 } });
  const answer = (await rawExchange(fixture.port, get)).toString();
  assert.match(answer, /^HTTP\/1.1 200 OK\r\n.*\r\n\r\nhalf$/s);
  await live.peers[0]?.closed;
});

test("a client that takes nothing in its time is let go, and the live service's connection ended", async () => {
  await using live = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    peer.write(Buffer.alloc(40 * 1024 * 1024));
  });
  await using fixture = await startBefore(live, { proxyLimits: { clientStallTimeoutMs: 20 } });
  await using client = await rawClient(fixture.port);
  client.socket.removeAllListeners("data").pause();
  client.write(get);
  await (await until(() => live.peers[0])).closed;
});

test("an override may take any time; where the live service takes its place, that one's limits hold", async () => {
  await using live = await silent();
  await using developer = await silent();
  const answerLimits = { answerTimeoutMs: 20, answerIdleTimeoutMs: 20 };
  await using fixture = await startBefore(live, { answerLimits });
  const url = `http://127.0.0.1:${developer.port}`;
  fixture.manager.publish({ overrides: [createOverride({ kind: "address", url })] });
  await until(() => fixture.logged.some(({ overrides }) => overrides === 1));
  await using client = await rawClient(fixture.port);
  client.write(keyedGet);
  const peer = await until(() => developer.peers[0]);
  await peer.waitFor("\r\n\r\n");
  // As long as the limit bites twice for others.
  for (const _ of [1, 2]) assert.match((await rawExchange(fixture.port, get)).toString(), / 504 /);
  assert.equal(client.received.length, 0);
  peer.reset();
  await client.waitFor("the live service could not take this request instead");
  assert.equal(live.peers.length, 3);
});
