import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import type { Override, Rule } from "@clew/routing";
import {
  freePort,
  type RawPeer,
  rawClient,
  startRawServer,
  startRedis,
  type TestRedis,
  until,
} from "@clew/testing";
import type { AgentOptions } from "../agent-options.ts";
import { type Agent, startAgent } from "../start-agent.ts";
import { createLog, createOverride, type LogLine } from "./agent-fixture.ts";
import { type FakeManager, startFakeManager } from "./fake-manager.ts";

interface Fixture extends AsyncDisposable {
  readonly manager: FakeManager;
  readonly agent: Agent;
  readonly port: number;
  readonly logged: readonly LogLine[];
}

/** The agent of a service whose port `db` speaks raw TCP. */
async function startFixture(live: number, options: Partial<AgentOptions> = {}): Promise<Fixture> {
  const manager = await startFakeManager("db");
  const { log, logged } = createLog();
  const agent = await startAgent({
    service: "db",
    ports: {
      db: {
        listen: { host: "127.0.0.1", port: 0 },
        upstream: { host: "127.0.0.1", port: live },
        protocol: "tcp",
      },
    },
    env: {},
    manager: { url: manager.url },
    log,
    ...options,
  });
  await agent.tableReceived;
  return {
    manager,
    agent,
    port: agent.ports["db"]?.port ?? 0,
    logged,
    async [Symbol.asyncDispose]() {
      await agent.close({ graceMs: 0 });
      await manager[Symbol.asyncDispose]();
    },
  };
}

function ruleTo(port: number, conditions: Rule["conditions"], changes: Partial<Override> = {}): Rule {
  const common = { id: "r1", service: "db", port: "db", owner: "ann", createdAt: 1, ...changes };
  const override = createOverride({ kind: "address", url: `http://127.0.0.1:${port}` }, common);
  return { ...common, priority: 0, conditions, override };
}

/** Each table that is published is waited for, so that what follows meets it. */
async function publish({ manager, logged }: Fixture, ...rules: Rule[]): Promise<void> {
  const seen = (): number => logged.filter(({ event }) => event === "agent.table").length;
  const before = seen();
  manager.publish({ rules });
  await until(() => seen() > before, { what: "the agent uses the new table" });
}

const loopback = [{ on: "client", prefix: "127.0.0.0/8" }] as const;

/** Sends one command, and returns all that came up to the end of its answer. */
async function redis(client: RawPeer, command: string, answer: string): Promise<void> {
  const before = client.received.length;
  client.write(`${command}\r\n`);
  await client.waitFor((received) => received.subarray(before).toString() === `${answer}\r\n`);
}

async function named(name: string): Promise<TestRedis> {
  const server = await startRedis();
  await using client = await rawClient(server.port);
  await redis(client, `SET name ${name}`, "+OK");
  return server;
}

test("Redis: whole connections go to the intercept while it stands, and its own are cut when it ends", async () => {
  await using live = await named("live");
  await using mine = await named("mine");
  await using fixture = await startFixture(live.port);

  await using early = await rawClient(fixture.port);
  await redis(early, "GET name", "$4\r\nlive");

  await publish(fixture, ruleTo(mine.port, loopback));
  await using taken = await rawClient(fixture.port);
  await redis(taken, "GET name", "$4\r\nmine");
  await redis(taken, "SET mood fine", "+OK");
  await redis(taken, "GET mood", "$4\r\nfine");
  await redis(early, "GET name", "$4\r\nlive");

  await publish(fixture);
  await taken.closed;
  await using after = await rawClient(fixture.port);
  await redis(after, "GET name", "$4\r\nlive");
  await redis(after, "GET mood", "$-1");
  await redis(early, "GET name", "$4\r\nlive");

  const cut = fixture.logged.find(({ event }) => event === "agent.connections_cut");
  assert.match(cut?.msg ?? "", /ann.*1 connections/);
  const report = await until(() => fixture.manager.reports[0]);
  const { method, client, broken, destination, reason, rule, owner } = report;
  assert.deepEqual(
    [method, client, broken, destination, reason, rule, owner],
    ["TCP", "127.0.0.1", "cut", "override", "rule", "r1", "ann"],
  );
  assert.equal(fixture.manager.reports.length, 1, "live connections are nobody's news");
});

/** Says a name to whoever connects. */
const saying =
  (name: string) =>
  (peer: RawPeer): void =>
    peer.write(name);

test("the client's address decides; without a condition every connection is taken, and the narrower rule wins", async () => {
  await using live = await startRawServer(saying("live"));
  await using one = await startRawServer(saying("one"));
  await using all = await startRawServer(saying("all"));
  await using fixture = await startFixture(live.port);
  const from = async (localAddress: string): Promise<string> => {
    const socket = connect({ port: fixture.port, host: "127.0.0.1", localAddress });
    for await (const bytes of socket) {
      socket.destroy();
      return String(bytes);
    }
    return "nothing";
  };
  await publish(fixture, ruleTo(one.port, [{ on: "client", equals: "127.0.0.2" }]));
  assert.deepEqual([await from("127.0.0.2"), await from("127.0.0.3")], ["one", "live"]);
  await publish(
    fixture,
    ruleTo(one.port, [{ on: "client", equals: "127.0.0.2" }]),
    ruleTo(all.port, [], { id: "r2", owner: "bob" }),
  );
  assert.deepEqual([await from("127.0.0.2"), await from("127.0.0.3")], ["one", "all"]);
});

test("an intercept that cannot be reached costs nobody a connection, unless it is to fail (I3)", async () => {
  await using live = await startRawServer(saying("live"));
  await using fixture = await startFixture(live.port);
  const nobody = await freePort();
  await publish(fixture, ruleTo(nobody, []));
  await using client = await rawClient(fixture.port);
  await client.waitFor("live");
  client.end();
  live.peers[0]?.end();
  const report = await until(() => fixture.manager.reports[0]);
  assert.deepEqual([report.fallback, report.broken], ["E_UPSTREAM_UNREACHABLE", undefined]);

  await publish(fixture, ruleTo(nobody, [], { onFailure: "error" }));
  await using refused = await rawClient(fixture.port);
  await refused.closed;
  assert.equal(refused.received.length, 0);
  await until(() => fixture.manager.reports.some(({ broken }) => broken === "unreachable"));
});

test("a connection that fell back to the live service stays when the intercept ends", async () => {
  await using live = await startRawServer(saying("live"));
  await using fixture = await startFixture(live.port);
  await publish(fixture, ruleTo(await freePort(), []));
  await using client = await rawClient(fixture.port);
  await client.waitFor("live");
  await publish(fixture);
  client.write("still here");
  await until(() => live.peers[0]?.received.toString() === "still here");
});

test("the manager is told that the port speaks raw TCP", async () => {
  await using fixture = await startFixture(1);
  assert.deepEqual(fixture.manager.agents[0]?.ports["db"], {
    address: `127.0.0.1:${fixture.port}`,
    protocol: "tcp",
  });
});
