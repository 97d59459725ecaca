import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { freePort, until } from "@clew/testing";
import { WebSocket } from "ws";
import { fetchPrice } from "./fetch-price.ts";
import { prices, startLoad } from "./load.ts";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop[Symbol.asyncDispose]());

/** Long enough for several hundred requests on each side of a change. */
const loadMs = 2_500;
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    }).once("error", () => resolve(false));
  });
}

test("requests with the key get the developer's price, all others the live one, through the whole chain", async () => {
  await using intercept = await shop.intercept();
  const { key } = intercept;
  assert.equal(key, "ann");
  assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.developer);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  assert.equal(await fetchPrice(shop.gatewayPort, { key: "somebody-else" }), prices.live);
});

for (const [name, signal] of [
  ["Ctrl-C", "SIGINT"],
  ["kill -9", "SIGKILL"],
] as const) {
  test(`an intercept ended by ${name} under load costs nobody a request, and the next ones are live`, async () => {
    await using intercept = await shop.intercept();
    const { process: child, key, port } = intercept;
    const load = startLoad({ port: shop.gatewayPort, key });
    load.expectKeyed("developer");
    await pass(loadMs);

    load.expectKeyed("either");
    child.signal(signal);
    await child.exited;
    load.expectKeyed("live");
    assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.live, "the very next request is live");
    await pass(loadMs);

    const report = await load.stop();
    process.stdout.write(`${name}: ${JSON.stringify(report)}\n`);
    assert.deepEqual([report.failed, report.wrongPlace], [0, 0], report.faults.join("\n"));
    assert.ok(report.answered > 500, "the load ran");
    await until(async () => !(await isOpen(port)), {
      what: "the developer's service ends with its intercept",
    });
  });
}

test("an intercept whose service does not listen yet leaves its requests to the live service", async () => {
  const child = await shop.clew("intercept", "pricing", "--port", "1", "--json");
  await child.waitForLine('"event":"intercept"');
  assert.equal(await fetchPrice(shop.gatewayPort, { key: "ann" }), prices.live);
  await child.stop();
});

test("a WebSocket goes through the intercept to the developer's service, and breaks when that does", async () => {
  await using intercept = await shop.interceptOther("storefront");
  const socket = new WebSocket(`${shop.url.replace("http", "ws")}/live`, {
    headers: { baggage: `clew-route=${intercept.key}` },
  });
  await once(socket, "open");
  socket.send("lamp");
  const [answer] = await once(socket, "message");
  // Asked of the live system by the developer's storefront: its own calls went out through the tunnel.
  assert.equal(JSON.parse(String(answer)).cents, 2_400);

  const closed = once(socket, "close");
  intercept.process.signal("SIGKILL");
  await closed;
  const page = await fetch(shop.url, { headers: { baggage: `clew-route=${intercept.key}` } });
  assert.match(await page.text(), /Labyrinth Supplies/);
});

/** Answers after a while, so that a request can be under way when its intercept ends. */
const slowService = `require("node:http")
  .createServer((request, response) => setTimeout(() => response.end("from the developer"), 1_000))
  .listen(Number(process.env.PORT), "127.0.0.1")`;

test("a request under way when Ctrl-C ends the intercept is still answered, and nothing is left behind", async () => {
  const port = String(await freePort());
  const command = [process.execPath, "-e", slowService];
  const child = await shop.clew("intercept", "pricing", "--port", port, "--json", "--", ...command);
  const { override } = JSON.parse(await child.waitForLine('"event":"intercept"', 30_000));
  const { services } = JSON.parse((await shop.run("list", "--json")).stdout);
  const pricing = services.find(({ name }: { name: string }) => name === "pricing");
  // Not to be repeated: it has this one chance.
  const answer = fetch(`http://${pricing.ports.http.address}/`, {
    method: "POST",
    headers: { baggage: "clew-route=ann" },
    body: "once",
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  child.signal("SIGINT");
  assert.equal(await (await answer).text(), "from the developer");
  assert.equal((await child.exited).code, 0, child.stderr);
  assert.doesNotMatch(child.stderr, /tunnel\.away/);
  const { overrides, sessions } = JSON.parse((await shop.run("list", "--json")).stdout);
  // Only its own: what an earlier test killed lives until its lease ends.
  const ownOverrides = overrides.filter(({ session }: { session: string }) => session === override.session);
  const ownSessions = sessions.filter(({ id }: { id: string }) => id === override.session);
  assert.deepEqual([ownOverrides, ownSessions], [[], []]);
});
