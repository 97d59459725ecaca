import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  freePort,
  type RawPeer,
  rawClient,
  startProcess,
  startRedis,
  temporaryDirectory,
  until,
} from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

/** Sends one command, and waits for exactly this answer. */
async function redis(client: RawPeer, command: string, answer: string): Promise<void> {
  const before = client.received.length;
  client.write(`${command}\r\n`);
  await client.waitFor((received) => received.subarray(before).toString() === `${answer}\r\n`);
}

/** A clew.yaml of one service, a Redis, and the command beside it. */
async function describeCache(folder: string, upstream: number) {
  const [managerPort, port] = [await freePort(), await freePort()];
  await writeFile(
    join(folder, "clew.yaml"),
    `manager: { listen: "127.0.0.1:${managerPort}" }
services:
  cache:
    ports: { redis: { listen: "127.0.0.1:${port}", upstream: "127.0.0.1:${upstream}", protocol: tcp } }
`,
  );
  const env = { XDG_STATE_HOME: join(folder, "xdg"), CLEW_OWNER: "ann", NO_COLOR: "1" };
  const clew = (...args: string[]) => startProcess(process.execPath, [bin, ...args], { cwd: folder, env });
  return { port, clew };
}

test("clew intercept on a port of raw TCP takes new connections to one's own Redis, until Ctrl-C", async () => {
  await using live = await startRedis();
  await using mine = await startRedis();
  await using folder = await temporaryDirectory();
  const { port, clew } = await describeCache(folder.path, live.port);
  await using up = await clew("up");
  await up.waitForLine("Clew is up", 60_000);
  await using early = await rawClient(port);
  await redis(early, "SET name live", "+OK");

  await using intercept = await clew("intercept", "cache", "--port", String(mine.port));
  await intercept.waitForLine("routing key  none", 30_000);
  assert.match(intercept.stdout, /cache → port \d+ on this machine \(port redis, owner ann\)/);
  await using taken = await rawClient(port);
  await redis(taken, "GET name", "$-1");
  await redis(taken, "SET name mine", "+OK");
  await redis(early, "GET name", "$4\r\nlive");

  const list = await clew("list");
  await list.exited;
  assert.match(list.stdout, /cache .*every connection → .*, port \d+ \(ann/);
  const second = await clew("intercept", "cache", "--port", "1", "--owner", "bob");
  assert.equal((await second.exited).code, 1);
  assert.match(second.stderr, /E_RULE_CONFLICT/);
  const wrong = await clew("intercept", "cache", "--port", "1", "--route", "demo");
  assert.equal((await wrong.exited).code, 64);
  assert.match(wrong.stderr, /raw TCP/);

  intercept.signal("SIGINT");
  assert.equal((await intercept.exited).code, 0, intercept.stderr);
  await taken.closed;
  await using after = await rawClient(port);
  await redis(after, "GET name", "$4\r\nlive");
  await redis(early, "GET name", "$4\r\nlive");
});

test("clew leave ends one's own intercept of connections", async () => {
  await using live = await startRedis();
  await using mine = await startRedis();
  await using folder = await temporaryDirectory();
  const { port, clew } = await describeCache(folder.path, live.port);
  await using up = await clew("up");
  await up.waitForLine("Clew is up", 60_000);
  await using intercept = await clew(
    ...["intercept", "cache", "--port", String(mine.port), "--client", "127.0.0.0/8", "--json"],
  );
  await intercept.waitForLine('"event":"intercept"', 30_000);
  await using taken = await rawClient(port);
  await redis(taken, "SET name mine", "+OK");
  const leave = await clew("leave", "cache");
  assert.equal((await leave.exited).code, 0, leave.stderr);
  assert.match(leave.stdout, /Left cache \(connections from 127\.0\.0\.0\/8\)/);
  await taken.closed;
  await until(async () => (await intercept.exited).code === 1);
  assert.match(intercept.stderr, /E_INTERCEPT_ENDED/);
});
