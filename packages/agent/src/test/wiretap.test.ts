import assert from "node:assert/strict";
import { test } from "node:test";
import { everyRoute, type Override } from "@clew/routing";
import { freePort, type RawServer, rawClient, startRawServer, until } from "@clew/testing";
import { ask, createOverride, type Fixture, keyed, startFixture } from "./agent-fixture.ts";

function tapTo(port: number, changes: Partial<Override> = {}): Override {
  return createOverride({ kind: "address", url: `http://127.0.0.1:${port}` }, { id: "t1", ...changes });
}

/** Publishes, and waits until the agent uses it. */
async function publish(
  { manager, logged }: Fixture,
  change: Parameters<Fixture["manager"]["publish"]>[0],
): Promise<void> {
  const seen = (): number => logged.filter(({ event }) => event === "agent.table").length;
  const before = seen();
  manager.publish(change);
  await until(() => seen() > before, { what: "the agent uses the new table" });
}

/** Keeps what comes, answers once a request is there, and closes. */
const startTap = (): Promise<RawServer> =>
  startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 500 Ignored\r\nContent-Length: 0\r\n\r\n");
    await peer.closed;
    peer.end();
  });

const received = ({ peers }: RawServer): string[] => peers.map((peer) => peer.received.toString());

test("a wiretap of a route gets its requests byte for byte, and nobody else's; the answer is the live one", async () => {
  await using fixture = await startFixture();
  await using tap = await startTap();
  await publish(fixture, { wiretaps: [tapTo(tap.port)] });
  assert.equal((await ask(fixture.port, { ...keyed, "X-Case": "Kept" }, "/a?b=c")).by, "live");
  assert.equal((await ask(fixture.port)).by, "live");
  await until(() => received(tap)[0]?.includes("\r\n\r\n"));
  const [copy = ""] = received(tap);
  assert.match(copy, /^GET \/a\?b=c HTTP\/1\.1\r\n/);
  assert.match(copy, /\r\nbaggage: clew-route=mine\r\n/);
  assert.match(copy, /\r\nX-Case: Kept\r\n/);
  assert.match(copy, /\r\nConnection: close\r\n\r\n$/);
  assert.equal(tap.peers.length, 1);
});

test("a wiretap of every request copies those of an override as well, bodies included, whatever their framing", async () => {
  await using fixture = await startFixture();
  await using tap = await startTap();
  await publish(fixture, {
    overrides: [createOverride(fixture.mine)],
    wiretaps: [tapTo(tap.port, { route: everyRoute })],
  });
  await using client = await rawClient(fixture.port);
  client.write("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst");
  await client.waitFor('"target":"/1"');
  client.write(
    "POST /2 HTTP/1.1\r\nHost: h\r\nbaggage: clew-route=mine\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecond\r\n0\r\n\r\n",
  );
  await client.waitFor('"target":"/2"');
  const whole = (text: string): boolean => /\r\n\r\nfirst$|\r\n\r\n6\r\nsecond\r\n0\r\n\r\n$/.test(text);
  await until(() => received(tap).filter(whole).length === 2);
  assert.deepEqual(
    received(tap)
      .map((text) => text.slice(0, 7))
      .sort(),
    ["POST /1", "POST /2"],
  );
  assert.match(client.received.toString(), /"upstream":"mine"/);
});

test("a tap that is not there, or takes nothing, costs nobody a request, and the manager and the log are told", async () => {
  await using fixture = await startFixture({ limits: { reportIntervalMs: 5 } });
  await publish(fixture, { wiretaps: [tapTo(await freePort(), { route: everyRoute })] });
  for (let count = 0; count < 20; count++) assert.equal((await ask(fixture.port)).by, "live");
  const { manager, logged } = fixture;
  const dead = await until(() => manager.tapReports.at(-1)?.find(({ dropped }) => dropped === 20));
  assert.deepEqual(dead, { id: "t1", copied: 0, dropped: 20, lastDrop: "unreachable" });
  const line = logged.find(({ event }) => event === "agent.copies_dropped");
  assert.match(line?.msg ?? "", /ann/);

  await using stuck = await startRawServer(({ socket }) => void socket.pause());
  await publish(fixture, { wiretaps: [tapTo(stuck.port, { id: "t2", route: everyRoute })] });
  // More than the kernel takes for the tap: the rest would have to be held.
  const body = Buffer.alloc(24_000_000, "x");
  const answer = await fetch(`http://127.0.0.1:${fixture.port}/`, { method: "POST", body });
  assert.equal(((await answer.json()) as { upstream: string }).upstream, "live");
  const slow = await until(() => manager.tapReports.at(-1)?.find(({ dropped }) => dropped === 1));
  assert.deepEqual(slow, { id: "t2", copied: 0, dropped: 1, lastDrop: "slow" });
});

test("when a wiretap ends, copies end, and its counts with it", async () => {
  await using fixture = await startFixture({ limits: { reportIntervalMs: 5 } });
  await using tap = await startTap();
  await publish(fixture, { wiretaps: [tapTo(tap.port, { route: everyRoute })] });
  await ask(fixture.port);
  await until(() => fixture.manager.tapReports.at(-1)?.[0]?.copied === 1);
  await publish(fixture, {});
  await ask(fixture.port);
  await until(() => fixture.manager.tapReports.at(-1)?.length === 0);
  assert.equal(tap.peers.length, 1);
});

test("a WebSocket's handshake is not copied", async () => {
  await using fixture = await startFixture();
  await using tap = await startTap();
  await publish(fixture, { wiretaps: [tapTo(tap.port, { route: everyRoute })] });
  await using client = await rawClient(fixture.port);
  client.write(
    "GET /socket HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  await client.waitFor("101 Switching");
  await ask(fixture.port, {}, "/after");
  await until(() => received(tap).some((text) => text.startsWith("GET /after")));
  assert.equal(tap.peers.length, 1);
});
