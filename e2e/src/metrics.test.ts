import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  freePort,
  startProcess,
  startUpstream,
  type TestProcess,
  temporaryDirectory,
  until,
} from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

interface System extends AsyncDisposable {
  readonly agent: TestProcess;
  readonly url: string;
  readonly admin: string;
  metrics(): Promise<string>;
}

/** An agent that stands alone: no manager is needed to serve, or to say so (I2). */
async function startSystem(...flags: string[]): Promise<System> {
  const folder = await temporaryDirectory();
  const web = await startUpstream({ name: "web" });
  const [managerPort, port, adminPort] = [await freePort(), await freePort(), await freePort()];
  const admin = `127.0.0.1:${adminPort}`;
  await writeFile(
    join(folder.path, "clew.yaml"),
    `manager: { listen: "127.0.0.1:${managerPort}" }
metrics: { listen: "${admin}" }
services:
  web: { ports: { http: { listen: "127.0.0.1:${port}", upstream: "127.0.0.1:${web.port}" } } }
`,
  );
  const agent = await startProcess(process.execPath, [bin, "agent", "--json", ...flags], {
    cwd: folder.path,
    env: { XDG_STATE_HOME: join(folder.path, "xdg") },
  });
  const up = await agent.waitForLine('"event":"up"', 60_000);
  assert.equal(JSON.parse(up).metrics, `http://${admin}/metrics`);
  return {
    agent,
    url: `http://127.0.0.1:${port}/`,
    admin: `http://${admin}`,
    metrics: async () => (await fetch(`http://${admin}/metrics`)).text(),
    async [Symbol.asyncDispose]() {
      for (const part of [agent, web, folder]) await part[Symbol.asyncDispose]();
    },
  };
}

const requests = 'clew_requests_total{service="web",port="http"}';

test("/metrics is Prometheus' text, and counts; /healthz and /readyz answer; there is nothing else", async () => {
  await using system = await startSystem();
  for (let count = 0; count < 5; count++) await (await fetch(system.url)).text();
  const text = await until(async () => {
    const now = await system.metrics();
    return now.includes(`${requests} 5\n`) && now;
  });
  for (const line of text.trimEnd().split("\n")) {
    assert.match(line, /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{(?:[a-z]+="[^"]*",?)+\})? [-+.0-9e]+)$/);
  }
  assert.match(
    text,
    /clew_request_duration_seconds_bucket\{service="web",port="http",destination="live",le="\+Inf"\} 5/,
  );
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
  const { headers } = await fetch(`${system.admin}/metrics`);
  assert.match(headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
  const statusOf = async (path: string, method = "GET"): Promise<number> =>
    (await fetch(`${system.admin}${path}`, { method })).status;
  assert.deepEqual(
    [
      await statusOf("/healthz"),
      await statusOf("/readyz"),
      await statusOf("/"),
      await statusOf("/metrics", "POST"),
    ],
    [200, 200, 404, 405],
  );
});

test("with workers, what all of them counted is added up in one place", async () => {
  await using system = await startSystem("--workers", "2");
  for (let count = 0; count < 20; count++) {
    await (await fetch(system.url, { headers: { connection: "close" } })).text();
  }
  await until(async () => (await system.metrics()).includes(`${requests} 20\n`));
  const text = await system.metrics();
  assert.equal(text.split("\n").filter((line) => line.startsWith(`${requests} `)).length, 1);
});
