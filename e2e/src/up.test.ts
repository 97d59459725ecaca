import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { test } from "node:test";
import { until } from "@clew/testing";
import { fetchPrice } from "./fetch-price.ts";
import { prices } from "./load.ts";
import { prepareShop, type Shop } from "./shop.ts";

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
}

async function openPorts(shop: Shop): Promise<number[]> {
  const open = await Promise.all(shop.ports.map(accepts));
  return shop.ports.filter((_, index) => open[index]);
}

/** Processes whose command line names this shop's own folder or services, by the system's list. */
function processesOf(pid: number): string[] {
  const lines = execFileSync("ps", ["-eo", "pid,ppid,pgid,args"], { encoding: "utf8" }).split("\n");
  return lines.filter((line) => line.trim().split(/\s+/).slice(0, 3).includes(String(pid)));
}

test("up says what runs where; Ctrl-C leaves no port and no process behind; the next start works at once", async () => {
  await using shop = await prepareShop();
  for (const round of [1, 2]) {
    const up = await shop.clew("up");
    await up.waitForLine("Ctrl-C ends everything", 60_000);
    assert.match(up.stdout, /Open {2}http:\/\/127\.0\.0\.1:\d+\//);
    assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
    assert.equal((await openPorts(shop)).length, shop.ports.length, `round ${round}`);
    up.signal("SIGINT");
    const { code } = await up.exited;
    assert.equal(code, 0, up.stderr);
    assert.deepEqual(await openPorts(shop), [], `round ${round}`);
    assert.deepEqual(processesOf(up.pid), [], `round ${round}`);
  }
});

test("a killed `clew up` takes its services with it, and the next start works", async () => {
  await using shop = await prepareShop();
  const killed = await shop.clew("up");
  await killed.waitForLine("Clew is up", 60_000);
  killed.signal("SIGKILL");
  await killed.exited;
  await until(async () => (await openPorts(shop)).length === 0, {
    timeoutMs: 10_000,
    what: "all ports are free",
  });
  const next = await shop.clew("up");
  await next.waitForLine("Clew is up", 60_000);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
});

test("a service that ends is said and started again", async () => {
  await using shop = await prepareShop();
  const flag = `${shop.configFile}.crashed`;
  const text = await readFile(shop.configFile, "utf8");
  const once = `const fs = require("node:fs"); if (!fs.existsSync(process.argv[1])) { fs.writeFileSync(process.argv[1], ""); process.exit(3) } import(process.argv[2])`;
  const script = `${shop.configFile}.once.cjs`;
  await writeFile(
    script,
    once
      .replaceAll("process.argv[1]", "process.argv[2]")
      .replace("import(process.argv[2])", "import(process.argv[3])"),
  );
  const catalogue = /run: (\S+) catalogue\.js\n {4}cwd: (\S+)/.exec(text);
  assert.ok(catalogue);
  await writeFile(
    shop.configFile,
    text.replace(
      `${catalogue[1]} catalogue.js`,
      `${catalogue[1]} ${script} ${flag} ${catalogue[2]}/catalogue.js`,
    ),
  );
  const up = await shop.clew("up");
  await up.waitForLine(/catalogue ended with code 3; starting it again/, 30_000);
  await up.waitForLine("Clew is up", 60_000);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  await rm(flag);
});

test("--print-config shows each value's source and starts nothing", async () => {
  await using shop = await prepareShop();
  const { code, stdout } = await shop.run("up", "--print-config");
  assert.equal(code, 0);
  assert.match(stdout, /gateway\.previews +"preview\.localhost" +default/);
  assert.match(stdout, /environment +"shop-test" +file/);
  assert.deepEqual(await openPorts(shop), []);
});

test("a manager beyond loopback without a token is refused, with the reason", async () => {
  await using shop = await prepareShop();
  const text = await readFile(shop.configFile, "utf8");
  await writeFile(
    shop.configFile,
    text.replace(/manager: \{ listen: "127\.0\.0\.1/, 'manager: { listen: "0.0.0.0'),
  );
  const refused = await shop.run("manager");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /E_MANAGER_EXPOSED/);
  assert.match(refused.stderr, /token/);
});

test("with a token, what shows it works and what does not is refused as not allowed", async () => {
  await using shop = await prepareShop();
  const text = await readFile(shop.configFile, "utf8");
  const tokenFile = `${shop.configFile}.token`;
  await writeFile(tokenFile, "0123456789abcdef0123456789abcdef\n");
  await writeFile(shop.configFile, text.replace("state: state", `state: state, tokenFile: ${tokenFile}`));
  const up = await shop.clew("up");
  await up.waitForLine("Clew is up", 60_000);

  await using intercept = await shop.intercept();
  assert.equal(await fetchPrice(shop.gatewayPort, { key: intercept.key }), prices.developer);

  const refused = await shop.run("list", "--manager", shop.managerUrl);
  assert.equal(refused.code, 77, refused.stderr);
  assert.match(refused.stderr, /E_UNAUTHENTICATED/);
});
