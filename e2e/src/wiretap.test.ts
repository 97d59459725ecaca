import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { freePort, startRawServer, until } from "@clew/testing";
import { fetchPrice } from "./fetch-price.ts";
import { prices } from "./load.ts";
import { type Shop, startShop } from "./shop.ts";

let shop: Shop;
before(async () => {
  shop = await startShop();
});
after(() => shop[Symbol.asyncDispose]());

test("clew wiretap shows a developer every request of a service, and nobody who asks notices", async () => {
  await using mine = await startRawServer(async (peer) => {
    await peer.waitFor("\r\n\r\n");
    peer.write("HTTP/1.1 500 Mine\r\nContent-Length: 0\r\n\r\n");
    peer.end();
  });
  const child = await shop.clew("wiretap", "pricing", "--port", String(mine.port), "--all");
  await child.waitForLine("copies of", 30_000);
  assert.match(child.stdout, /pricing ⇢ port \d+ on this machine \(a copy, owner ann\)/);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  await until(() => mine.peers.some((peer) => /^GET .*HTTP\/1\.1\r\n/.test(peer.received.toString())));
  const listed = await until(async () => {
    const { stdout } = await shop.run("list");
    return /[1-9]\d* copied, 0 dropped/.test(stdout) && stdout;
  });
  assert.match(listed, /pricing .*a copy of every request ⇢ .*ann/);
  child.signal("SIGINT");
  assert.equal((await child.exited).code, 0, child.stderr);
  assert.match(child.stderr, /the wiretap has ended; no more copies come/);
  assert.doesNotMatch((await shop.run("list")).stdout, /a copy of/);
});

test("clew wiretap of a route copies what carries its key, and says which copies were dropped", async () => {
  const port = String(await freePort());
  const child = await shop.clew("wiretap", "pricing", "--port", port, "--route", "demo", "--json");
  const { key, route } = JSON.parse(await child.waitForLine('"event":"wiretap"', 30_000));
  assert.deepEqual([key, route], ["demo", "demo"]);
  assert.equal(await fetchPrice(shop.gatewayPort), prices.live);
  assert.equal(await fetchPrice(shop.gatewayPort, { key }), prices.live);
  const { text } = JSON.parse(await child.waitForLine('"event":"wiretap.dropped"', 10_000));
  assert.match(text, /could not be reached, or nothing listens there/);
  await child.stop();
  const both = await shop.run("wiretap", "pricing", "--port", port, "--route", "demo", "--all");
  assert.equal(both.code, 64);
});
