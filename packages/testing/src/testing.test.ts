import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { WebSocket } from "ws";
import {
  type Echo,
  rawClient,
  rawExchange,
  startProcess,
  startUpstream,
  temporaryDirectory,
  until,
} from "./index.ts";

test("a temporary directory is gone after its scope", async () => {
  let path: string;
  {
    await using directory = await temporaryDirectory();
    path = directory.path;
    assert.equal(existsSync(path), true);
  }
  assert.equal(existsSync(path), false);
});

test("a process that has ended is stopped at once, though what it started still holds its output", async () => {
  // In a session of its own, so that the end of the group does not reach it.
  const script =
    'require("node:child_process").spawn("sleep", ["1"], { detached: true, stdio: "inherit" }).unref()';
  const child = await startProcess(process.execPath, ["-e", script]);
  await until(() => !isAlive(child.pid));
  assert.deepEqual(await child.stop(), { code: 0, signal: null });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    // Safe: nobody has this id, which is the answer.
    return false;
  }
}

test("until gives the value waited for, and says what did not come", async () => {
  assert.equal(await until(() => 1), 1);
  await assert.rejects(
    until(() => false, { timeoutMs: 10, what: "the moon" }),
    /not within 10 ms: the moon/,
  );
});

test("a process that ignores SIGTERM, and its child, are gone after stop", async () => {
  const script = `
    process.on("SIGTERM", () => {});
    require("child_process").spawn("sleep", ["60"], { stdio: "inherit" });
    console.log("ready");`;
  await using child = await startProcess(process.execPath, ["-e", script]);
  await child.waitForLine("ready");
  // Comes only when nobody holds its output any more, the child of the child included.
  assert.equal((await child.stop(50)).signal, "SIGKILL");
});

test("a process that ends without the line rejects with its output", async () => {
  await using child = await startProcess(process.execPath, ["-e", 'console.error("boom")']);
  await assert.rejects(child.waitForLine("ready"), /ended without a line like ready[\s\S]*boom/);
});

test("an upstream echoes raw headers, and a reset in the middle of the body cuts the answer", async () => {
  await using upstream = await startUpstream({ name: "a" });
  const bytes = "GET /x?y HTTP/1.1\r\nHost: h\r\nX-Odd: 1\r\nconnection: close\r\n\r\n";
  const answer = (await rawExchange(upstream.port, bytes)).toString();
  const echo = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))) as Echo;
  assert.deepEqual(echo.rawHeaders, ["Host", "h", "X-Odd", "1", "connection", "close"]);
  upstream.fault = "reset-mid-body";
  const cut = (await rawExchange(upstream.port, bytes)).toString();
  assert.match(cut, /content-length: 1000\r\n[\s\S]*\r\n\r\nx{500}$/);
  upstream.refuse();
  await assert.rejects(rawClient(upstream.port), { code: "ECONNREFUSED" });
  await upstream.listen();
  upstream.fault = "none";
  await rawExchange(upstream.port, bytes);
});

test("a WebSocket gets its messages back and is closed in order", async () => {
  await using upstream = await startUpstream();
  const socket = new WebSocket(upstream.url.replace("http", "ws"));
  await new Promise((resolve) => socket.once("open", resolve));
  const echoed = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
  socket.send("x".repeat(1_000));
  assert.equal(await echoed, "x".repeat(1_000));
  const code = new Promise((resolve) => socket.once("close", resolve));
  socket.close(1000);
  assert.equal(await code, 1000);
});
