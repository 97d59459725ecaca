import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { type Agent, get as getPlain, Agent as PlainAgent } from "node:http";
import { get as getSecure, Agent as SecureAgent } from "node:https";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { until } from "@clew/testing";
import { prepareShop } from "./shop.ts";

test("without a terminal SIGHUP has the gateway open its access log anew, and everything runs on", async () => {
  await using shop = await prepareShop();
  const log = join(dirname(shop.configFile), "access.log");
  const text = await readFile(shop.configFile, "utf8");
  await writeFile(
    shop.configFile,
    text.replace("ingress: storefront", "ingress: storefront, accessLog: access.log"),
  );
  const up = await shop.clew("up");
  await up.waitForLine("Clew is up", 60_000);
  const pathsIn = async (file: string): Promise<string[]> =>
    (await readFile(file, "utf8").catch(() => ""))
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line).path);
  assert.equal((await fetch(`${shop.url}/before`)).status, 404);
  await until(async () => (await pathsIn(log)).includes("/before"));
  await rename(log, `${log}.1`);
  up.signal("SIGHUP");
  await until(async () => {
    await fetch(`${shop.url}/after`);
    return (await pathsIn(log)).includes("/after");
  });
  assert.ok(!(await pathsIn(log)).includes("/before"));
  up.signal("SIGINT");
  assert.equal((await up.exited).code, 0, up.stderr);
});

function ask(get: typeof getPlain, port: number, host: string, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = {
      host: "127.0.0.1",
      port,
      path: "/",
      agent,
      headers: { host },
      rejectUnauthorized: false,
    };
    get(options, (answer) => {
      text(answer).then((body) => {
        if (answer.statusCode === 200 && body.includes("Labyrinth")) resolve();
        else reject(new Error(`${host}: ${answer.statusCode} ${answer.headers["clew-error"]}`));
      }, reject);
    }).once("error", reject);
  });
}

for (const isSecure of [false, true]) {
  const over = isSecure ? " over TLS" : "";
  test(`SIGUSR2: a new gateway takes over, with its previews, and no visitor and nobody else loses a request${over}`, async () => {
    await using shop = await prepareShop();
    if (isSecure) await useTls(shop.configFile);
    const get = isSecure ? getSecure : getPlain;
    const up = await shop.clew("up", "--except", "gateway");
    await up.waitForLine("Clew is up", 60_000);
    const gateway = await shop.clew("gateway", "--json");
    await gateway.waitForLine('"event":"up"', 30_000);
    assert.equal((await shop.run("preview", "create", "--name", "demo", "--access", "public")).code, 0);
    const hosts = ["shop.example", "demo.preview.localhost"];
    await until(() =>
      ask(get, shop.gatewayPort, "demo.preview.localhost", false).then(
        () => true,
        () => false,
      ),
    );

    const faults: unknown[] = [];
    let done = 0;
    let isOver = false;
    const kept = new (isSecure ? SecureAgent : PlainAgent)({ keepAlive: true, maxSockets: 2 });
    const loop = async (host: string, agent: Agent | false): Promise<void> => {
      while (!isOver) {
        await ask(get, shop.gatewayPort, host, agent).then(
          () => done++,
          (error: unknown) => faults.push(error),
        );
      }
    };
    const loops = hosts.flatMap((host) => [loop(host, kept), loop(host, false)]);
    const more = async (): Promise<void> => {
      const before = done;
      await until(() => done >= before + 40, { timeoutMs: 20_000, what: "the load goes on" });
    };
    const pids = (): number[] =>
      [...gateway.stdout.matchAll(/"event":"up","pid":(\d+)/g)].map(([, pid]) => Number(pid));
    try {
      await more();
      gateway.signal("SIGUSR2");
      await until(() => pids().length === 2, { timeoutMs: 30_000, what: "the new gateway" });
      await until(() => !isAlive(pids()[0] as number), { timeoutMs: 30_000, what: "the old one ends" });
      await more();
    } finally {
      isOver = true;
      await Promise.all(loops);
      kept.destroy();
      for (const pid of pids().filter(isAlive)) process.kill(pid, "SIGTERM");
    }
    await until(() => !pids().some(isAlive), { timeoutMs: 10_000 });
    assert.deepEqual(faults, []);
  });
}

/** Has the gateway speak TLS, with a certificate that `openssl` makes. */
async function useTls(configFile: string): Promise<void> {
  const folder = dirname(configFile);
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-subj", "/CN=shop.example", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", "-x509", "-days", "2", ...curve, ...files], { stdio: "ignore" });
  const text = await readFile(configFile, "utf8");
  const tls = "tls: { certificates: [{ cert: cert.pem, key: key.pem }] }";
  await writeFile(configFile, text.replace("ingress: storefront", `ingress: storefront, ${tls}`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
