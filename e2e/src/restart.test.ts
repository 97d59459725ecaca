import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  freePort,
  rawClient,
  startProcess,
  startRawServer,
  startUpstream,
  type TestProcess,
  temporaryDirectory,
  until,
} from "@clew/testing";

const bin = fileURLToPath(new URL("../../packages/cli/bin/clew.js", import.meta.url));

interface System extends AsyncDisposable {
  /** Of the agents: HTTP, and raw TCP that echoes. */
  readonly port: number;
  readonly tcpPort: number;
  clew(...args: string[]): Promise<TestProcess>;
  /** With the first descriptor of a systemd socket unit. */
  inherit(listening: Server, ...args: string[]): Promise<TestProcess>;
  breakConfig(): Promise<void>;
}

/** A manager that runs, and the configuration of two services whose agents do not run yet. */
async function startSystem(): Promise<System> {
  const folder = await temporaryDirectory();
  const web = await startUpstream({ name: "web" });
  const echo = await startRawServer(({ socket }) => void socket.pipe(socket));
  const [managerPort, port, tcpPort] = [await freePort(), await freePort(), await freePort()];
  const configFile = join(folder.path, "clew.yaml");
  await writeFile(
    configFile,
    `manager: { listen: "127.0.0.1:${managerPort}" }
services:
  web:
    ports: { http: { listen: "127.0.0.1:${port}", upstream: "127.0.0.1:${web.port}" } }
  echo:
    ports: { echo: { listen: "127.0.0.1:${tcpPort}", upstream: "127.0.0.1:${echo.port}", protocol: tcp } }
`,
  );
  const env = { XDG_STATE_HOME: join(folder.path, "xdg"), NO_COLOR: "1" };
  const clew = (...args: string[]): Promise<TestProcess> =>
    startProcess(process.execPath, [bin, ...args], { cwd: folder.path, env });
  const manager = await clew("manager");
  await manager.waitForLine("Clew is up", 60_000);
  return {
    port,
    tcpPort,
    clew,
    inherit: (listening, ...args) =>
      startProcess(process.execPath, [bin, ...args], {
        cwd: folder.path,
        env: { ...env, LISTEN_FDS: "1" },
        descriptors: [descriptorOf(listening)],
      }),
    breakConfig: () => writeFile(configFile, "services: 1"),
    async [Symbol.asyncDispose]() {
      for (const part of [manager, web, echo, folder]) await part[Symbol.asyncDispose]();
    },
  };
}

/** Node tells it to nobody, so this asks the handle itself; systemd has it from the system call. */
function descriptorOf(listening: Server): number {
  return (listening as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

interface Load {
  readonly faults: readonly string[];
  /** Requests and connections that came to their end, so far. */
  readonly done: () => number;
  stop(): Promise<void>;
}

/** Closed loops: requests over kept connections, requests over new ones, and whole connections. */
function startLoad({ port, tcpPort }: System): Load {
  const faults: string[] = [];
  let done = 0;
  let isOver = false;
  const loop = async (name: string, turn: (count: number) => Promise<void>): Promise<void> => {
    for (let count = 0; !isOver; count++) {
      try {
        await turn(count);
        done += 1;
      } catch (error) {
        faults.push(`${name} ${count}: ${(error as Error).message}`);
      }
    }
  };
  const kept = new Agent({ keepAlive: true, maxSockets: 4 });
  const loops = [
    ...[1, 2, 3, 4].map((index) => loop(`kept ${index}`, () => ask(port, kept))),
    ...[1, 2].map((index) => loop(`new ${index}`, () => ask(port, undefined))),
    ...[1, 2].map((index) =>
      loop(`tcp ${index}`, async (count) => {
        await using client = await rawClient(tcpPort);
        client.write(`hello ${count}`);
        await client.waitFor(`hello ${count}`);
      }),
    ),
  ];
  return {
    faults,
    done: () => done,
    async stop() {
      isOver = true;
      await Promise.all(loops);
      kept.destroy();
    },
  };
}

function ask(port: number, agent: Agent | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    get({ host: "127.0.0.1", port, path: "/", agent: agent ?? false }, (answer) => {
      text(answer).then((body) => {
        if (answer.statusCode === 200 && body.includes('"upstream":"web"')) resolve();
        else reject(new Error(`${answer.statusCode} ${body}`));
      }, reject);
    }).once("error", reject);
  });
}

async function more(load: Load, count: number): Promise<void> {
  const before = load.done();
  await until(() => load.done() >= before + count, { timeoutMs: 20_000, what: "the load goes on" });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const pidsOf = ({ stdout }: TestProcess): number[] =>
  [...stdout.matchAll(/"event":"up","pid":(\d+)/g)].map(([, pid]) => Number(pid));

test("SIGUSR2: the agents' process makes way for a new one, twice, and no request and no connection fails", async () => {
  await using system = await startSystem();
  const first = await system.clew("agent", "--json");
  await first.waitForLine('"event":"up"', 30_000);
  const load = startLoad(system);
  await more(load, 200);
  for (const restarts of [1, 2]) {
    const old = pidsOf(first)[restarts - 1] as number;
    process.kill(old, "SIGUSR2");
    await until(() => pidsOf(first).length === restarts + 1, { timeoutMs: 30_000 });
    await until(() => !isAlive(old), { timeoutMs: 30_000, what: "the old process ends" });
    await more(load, 200);
  }
  await load.stop();
  const last = pidsOf(first).at(-1) as number;
  process.kill(last, "SIGTERM");
  await until(() => !isAlive(last), { timeoutMs: 10_000 });
  assert.deepEqual(load.faults, []);
  await assert.rejects(rawClient(system.tcpPort), { code: "ECONNREFUSED" });
});

test("a new process that does not come to serve changes nothing: the old one goes on, and says so", async () => {
  await using system = await startSystem();
  await using agent = await system.clew("agent", "--json");
  await agent.waitForLine('"event":"up"', 30_000);
  await system.breakConfig();
  agent.signal("SIGUSR2");
  const line = await agent.waitForLine('"event":"restart.failed"', 30_000);
  assert.match(line, /ended with code 64.*E_RESTART_FAILED/);
  await ask(system.port, undefined);
  const { code } = await agent.stop(10_000);
  assert.equal(code, 0);
});

for (const flags of [[], ["--workers", "2"]]) {
  const how = flags.length === 0 ? "by one process" : "by workers";
  test(`a descriptor that was inherited, as from a systemd socket unit, is listened on ${how}`, async () => {
    await using system = await startSystem();
    const listening = createServer().listen(system.port, "127.0.0.1");
    await once(listening, "listening");
    await using agent = await system.inherit(listening, "agent", "web", "--json", ...flags);
    listening.close();
    await agent.waitForLine('"event":"up"', 30_000);
    await ask(system.port, undefined);
    assert.equal((await agent.stop(10_000)).code, 0);
  });
}

test("--workers 2: one agent in two processes; they are replaced one by one, and one that dies is replaced", async () => {
  await using system = await startSystem();
  await using agent = await system.clew("agent", "--workers", "2", "--verbose", "--json");
  await agent.waitForLine('"event":"up"', 30_000);
  const workers = (): number[] =>
    [...agent.stderr.matchAll(/"event":"worker.serves","worker":\d+,"pid":(\d+)/g)].map(([, pid]) =>
      Number(pid),
    );
  assert.equal(workers().length, 2);
  const list = await system.clew("list", "--json");
  await list.exited;
  const { services } = JSON.parse(list.stdout);
  assert.deepEqual(
    services.map(({ name, agents }: { name: string; agents: number }) => [name, agents]),
    [
      ["echo", 1],
      ["web", 1],
    ],
  );

  const load = startLoad(system);
  await more(load, 200);
  agent.signal("SIGUSR2");
  await until(() => workers().length === 4, { timeoutMs: 30_000 });
  await until(
    () =>
      workers()
        .slice(0, 2)
        .every((pid) => !isAlive(pid)),
    { timeoutMs: 30_000 },
  );
  await more(load, 200);
  await load.stop();
  assert.deepEqual(load.faults, []);

  process.kill(workers()[2] as number, "SIGKILL");
  await until(() => workers().length === 5, { timeoutMs: 30_000 });
  await ask(system.port, undefined);
  const { code } = await agent.stop(10_000);
  assert.equal(code, 0, agent.stderr);
  assert.ok(workers().every((pid) => !isAlive(pid)));
});
